"""The linker: a drug's text or structure → diseases, a disease's text → drugs, each with evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

import numpy as np

from drugai.errors import ConfigError, DatasetError
from drugai.linking.asking import SAME, Asker
from drugai.linking.evidence import Hit, Neighbour, Ranking, Vote
from drugai.linking.filters import Filters
from drugai.linking.fitting import Fusion, LinkerConfig
from drugai.linking.fusion import standardize_rows
from drugai.linking.lookup import Lookup
from drugai.linking.mechanisms import drug_similarity, named_votes
from drugai.linking.normalizing import SurfaceForms, Term
from drugai.linking.prototypes import with_examples
from drugai.linking.queries import FAR, UNLIKELY, Names, looks_like_identifier, text_warnings
from drugai.linking.tables import POSITIVE_KINDS, LinkTables
from drugai.linking.towers import Towers
from drugai.linking.views import Knowledge
from drugai.models.text import TextEncoder


@dataclass(frozen=True)
class Contribution:
    """One component's share of a pair's score: the weight times the standardised score."""

    component: str
    weight: float
    score: float


@dataclass(frozen=True)
class Explanation:
    """Why a pair stands where it stands: its hit (with the words on both sides) and the shares of the components."""

    hit: Hit
    contributions: tuple[Contribution, ...]


class Linker:
    """Ranks diseases for a drug and drugs for a disease.

    Args:
        tables: Known drugs, diseases and pairs.
        knowledge: The same as embeddings and labels.
        towers: Trained.
        fusions: ``drug`` (a new drug asks) and ``disease`` (a new disease asks) → weights.
        config: As fitted.
        encoder: Of query texts.
    """

    def __init__(
        self, tables: LinkTables, knowledge: Knowledge, towers: Towers, fusions: Mapping[str, Fusion], config: LinkerConfig, encoder: TextEncoder
    ) -> None:
        self.tables, self.knowledge, self.towers, self.fusions, self.config, self.encoder = tables, knowledge, towers, dict(fusions), config, encoder
        self.asker = Asker(knowledge, towers, self.fusions, config, encoder)
        self.lookup, self.names = Lookup(tables), Names(tables.drugs, tables.diseases)
        self._drug_names = [drug.name for drug in tables.drugs]

    @cached_property
    def forms(self) -> SurfaceForms:
        """Every disease name and synonym."""
        return SurfaceForms(self.tables.diseases, np.concatenate(self.knowledge.diseases.forms))

    def rank(
        self, text: str = "", *, drug: str | None = None, smiles: str | None = None, top: int = 10, words: bool = False, popularity: float = 0.0,
        filters: Filters | None = None,
    ) -> Ranking:  # fmt: skip
        """Diseases for a drug given by text, by name or id, by structure, or by text and structure.

        Args:
            text: What the drug does, in English.
            drug: Name or id of a known drug, in place of a text.
            smiles: Its structure.
            top: Hits.
            words: Find the words that carry each hit, and those of the first hit's own text.
            popularity: Subtract this many standard deviations of log popularity; above 0 it favours diseases with few known drugs.
            filters: Which hits are wanted.

        Raises:
            DatasetError: The drug's name is unknown; near names are suggested.
            MoleculeError: The SMILES cannot be read.
            ConfigError: A filter fits no disease at all.
        """
        chosen = filters or Filters()
        chosen.refuse_unknown(self.tables.drugs, self.tables.diseases)
        row = self.names.drug(drug) if drug is not None else None
        warnings = [] if row is not None else text_warnings(text, self.asker.memory.lexicon.words) if text.strip() or smiles is None else []
        query = self.asker.drug(text, row, smiles)
        total = self.asker.diseases_for(query, row)
        chances = self.fusions["drug"].probability(total)
        if popularity:
            total = total - popularity * standardize_rows(np.log1p(self.knowledge.labels.sum(0, dtype=float))[None])[0]
        near_text = (query.embeddings @ self.knowledge.drugs.embeddings.T)[0]
        near_shape = self.asker.memory.drug_likeness.structures.to(query.fingerprints)[0]
        has_text = bool(query.texts[0])
        if row is None and smiles is not None and (same := self._same_structure(smiles, near_shape)) is not None:
            warnings.append(f"the structure is that of {self._drug_names[same]}; --drug {self._drug_names[same]} shows what is known of it")
        far = row is None and (not has_text or near_text.max() < FAR) and near_shape.max() < FAR
        if far and (has_text or smiles is not None):
            nearest = f"cosine {near_text.max():.2f}" if has_text else f"Tanimoto {near_shape.max():.2f}"
            warnings.append(f"far from everything known (nearest known drug: {nearest}); treat the ranking as a guess")
        status = self.lookup.statuses(drug=row)
        order = (int(one) for one in np.argsort(-total, kind="stable"))
        kept = list(islice((one for one in order if chosen.keeps_pair(one, status) and chosen.keeps_disease(self.tables.diseases[one])), top))
        genes = self.lookup.genes_of(row, text)
        hits = []
        for place, one in enumerate(kept, start=1):
            treated = np.flatnonzero(self.knowledge.labels[:, one])
            near = self._near(treated, near_text, near_shape, has_text, row)
            shared = self.lookup.shared_targets(genes, treated, row)
            disease = self.tables.diseases[one]
            chance = float(chances[one]) if has_text and not _is_known(row, status.get(one)) else None
            hits.append(self._hit(place, disease.id, disease.name, float(total[one]), chance, status.get(one), near, shared))
        if words and has_text and kept:
            told = self.asker.drug_words(query, kept)
            hits = [replace(hit, words=found) for hit, found in zip(hits, told, strict=True)]
            hits[0] = replace(hits[0], other_words=self.asker.pair_words(query, self.knowledge.diseases.texts[kept[0]]))
        abstained = bool(far or (has_text and chances.max() < UNLIKELY) or not (has_text or query.fingerprints.any()))
        votes = self._votes(query, row, near_text, near_shape) if has_text or query.fingerprints.any() else ()
        return Ranking(drug or text or (f"SMILES {smiles}" if smiles else ""), "diseases", tuple(hits), tuple(warnings), abstained, votes)

    def rank_drugs(
        self, disease: str, *, top: int = 10, words: bool = False, popularity: float = 0.0, filters: Filters | None = None, examples: Sequence[str] = ()
    ) -> Ranking:
        """Drugs for a disease given by name, synonym, identifier or description.

        Args:
            disease: Any of these.
            top: Hits.
            words: Find the words of the disease's text that carry each hit, and those of the first hit's own text.
            popularity: Subtract this many standard deviations of the drugs' log popularity.
            filters: Which hits are wanted.
            examples: Names of drugs that are known to help: what is like them is ranked higher.

        Raises:
            DatasetError: An example is unknown, or the text is an identifier that no known disease has.
        """
        chosen = filters or Filters()
        chosen.refuse_unknown(self.tables.drugs, self.tables.diseases)
        row = self.names.disease(disease)
        warnings = [] if row is not None else self._unknown_disease(disease)
        query = self.asker.disease(disease, row)
        scores = self.asker.drugs_for(query, row)
        chances = self.fusions["disease"].probability(scores, reverse=True)
        near = (query.embeddings @ self.knowledge.diseases.embeddings.T)[0]
        far = row is None and bool(query.texts[0]) and near.max() < FAR
        if far:
            warnings.append(f"far from everything known (nearest known disease: cosine {near.max():.2f}); treat the ranking as a guess")
        # a described disease that says the same as a known one: what is known of that one is shown, and filtered by
        like = int(near.argmax()) if row is None and near.max() >= SAME else None
        known = [self.names.drug(name) for name in examples]
        if known:
            scores = with_examples(scores, self.asker.likeness, known)
        if popularity:
            scores = scores - popularity * standardize_rows(np.log1p(self.knowledge.labels.sum(1, dtype=float))[None])[0]
        status = self.lookup.statuses(disease=row if row is not None else like)
        order = (int(one) for one in np.argsort(-scores, kind="stable"))
        kept = list(islice((one for one in order if chosen.keeps_pair(one, status) and chosen.keeps_drug(self.tables.drugs[one]) and one not in known), top))
        hits = []
        for place, one in enumerate(kept, start=1):
            drug = self.tables.drugs[one]
            treated = np.flatnonzero(self.knowledge.labels[one])
            nearest = tuple(Neighbour(self.tables.diseases[other].name, float(near[other]), None) for other in treated[np.argsort(-near[treated])][:3])
            chance = float(chances[one]) if query.texts[0] and not known and not _is_known(row, status.get(one)) else None
            hits.append(replace(self._hit(place, drug.id, drug.name, float(scores[one]), chance, status.get(one), nearest, drug.targets), smiles=drug.smiles))
        if words and query.texts[0] and kept:
            told = self.asker.disease_words(query.texts[0], kept)
            hits = [replace(hit, words=found) for hit, found in zip(hits, told, strict=True)]
            first = self.asker.drug(self.knowledge.drugs.texts[kept[0]], None, None)
            hits[0] = replace(hits[0], other_words=self.asker.drug_words(first, [row])[0] if row is not None else ())
        abstained = bool(far or not query.texts[0] or (not known and chances.max() < UNLIKELY))
        read_as = f"{self.tables.diseases[like].name} (text {near[like]:.2f})" if like is not None else ""
        return Ranking(disease, "drugs", tuple(hits), tuple(warnings), abstained, read_as=read_as)

    def mechanism(self, text: str = "", *, drug: str | None = None, smiles: str | None = None, top: int = 5) -> tuple[Vote, ...]:
        """Mechanisms and classes that the nearest known drugs share, for a drug by text, name or structure; a known drug does not vote for itself."""
        row = self.names.drug(drug) if drug is not None else None
        query = self.asker.drug(text, row, smiles)
        similarity = drug_similarity(query, self.knowledge.drugs, self.towers)[0]
        return named_votes(similarity, self.knowledge.drugs.words, self._drug_names, own=-1 if row is None else row, top=top)

    def similar(self, text: str = "", *, drug: str | None = None, smiles: str | None = None, top: int = 10) -> list[Neighbour]:
        """Known drugs that resemble a drug: mean of the cosine of texts and the Tanimoto similarity, as far as each is there."""
        row = self.names.drug(drug) if drug is not None else None
        query = self.asker.drug(text, row, smiles)
        near_text = (query.embeddings @ self.knowledge.drugs.embeddings.T)[0]
        near_shape = self.asker.memory.drug_likeness.structures.to(query.fingerprints)[0]
        return list(self._near(np.arange(len(self.tables.drugs)), near_text, near_shape, bool(query.texts[0]), row, top))

    def explain(self, disease: str, text: str = "", *, drug: str | None = None, smiles: str | None = None) -> Explanation:
        """Why a drug and a known disease are linked: shares of the components, neighbours, and the words on both sides.

        Raises:
            ConfigError: The disease is not among the known ones.
        """
        column = self.names.disease(disease)
        if column is None:
            near = " or ".join(term.name for term in self.normalize(disease, top=2))
            raise ConfigError(f"unknown disease {disease!r}; did you mean {near}?")
        row = self.names.drug(drug) if drug is not None else None
        query = self.asker.drug(text, row, smiles)
        weights = self.asker.drug_weights(query, row)
        shares = [
            Contribution(name, weights[name], float(weights[name] * standardize_rows(matrix)[0, column]))
            for name, matrix in self.asker.drug_components(query, row).items()
        ]
        ranking = self.rank(text, drug=drug, smiles=smiles, top=len(self.tables.diseases))
        hit = next(one for one in ranking.hits if one.id == self.tables.diseases[column].id)
        if query.texts[0]:
            hit = replace(hit, words=self.asker.drug_words(query, [column])[0], other_words=self.asker.pair_words(query, self.knowledge.diseases.texts[column]))
        return Explanation(hit, tuple(sorted(shares, key=lambda one: -abs(one.score))))

    def normalize(self, text: str, *, top: int = 5) -> list[Term]:
        """Disease terms that a free text may mean, best first. A label, not a diagnosis."""
        if not text.strip():
            raise ConfigError("the text to be normalised is empty; write a disease in words, for example 'sugar disease'")
        return self.forms.nearest(text, self.encoder.encode([text])[0], top)

    def _unknown_disease(self, text: str) -> list[str]:
        """Warnings on a disease that no name or identifier fits."""
        if looks_like_identifier(text):
            raise DatasetError(f"no known disease has the identifier {text.strip()!r}; give its name or describe it in words")
        found = text_warnings(text, self.asker.memory.lexicon.words)
        if text.strip() and len(text.split()) <= 4:
            near = [term.name for term in self.normalize(text, top=2) if term.score >= 0.25]
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            found.append(f"no known disease is called {text.strip()!r}; it is read as a description{hint}")
        return found

    def _same_structure(self, smi: str, near: np.ndarray) -> int | None:
        """Row of the known drug with this very structure, or None."""
        from drugai.molecules import MoleculeBatch

        rows = [int(row) for row in np.flatnonzero(near >= 1.0 - 1e-6)]
        written, *others = MoleculeBatch([smi, *(self.tables.drugs[row].smiles for row in rows)]).canonical
        return next((row for row, other in zip(rows, others, strict=True) if other == written), None)

    def _votes(self, query: object, row: int | None, near_text: np.ndarray, near_shape: np.ndarray) -> tuple[Vote, ...]:
        joint = near_text + near_shape if near_shape.any() else near_text
        return named_votes(joint, self.knowledge.drugs.words, self._drug_names, own=-1 if row is None else row, top=3)

    def _hit(
        self, place: int, id: str, name: str, score: float, chance: float | None, known: tuple[str, tuple[str, ...]] | None, near: Sequence[Neighbour],
        targets: Sequence[str],
    ) -> Hit:  # fmt: skip
        status, sources = known if known is not None else ("novel", ())
        return Hit(place, id, name, score, chance, status, sources, tuple(near), self.lookup.licences(sources), tuple(targets))

    def _near(self, rows: np.ndarray, text: np.ndarray, shape: np.ndarray, has_text: bool, own: int | None, top: int = 3) -> tuple[Neighbour, ...]:
        rows = rows[rows != own] if own is not None else rows
        has_shape = bool(shape.any())
        joint = (text[rows] * has_text + shape[rows] * has_shape) / max(1, has_text + has_shape)
        chosen = rows[np.argsort(-joint, kind="stable")][:top]
        drawn = [has_shape and bool(self.tables.drugs[row].smiles) for row in chosen]
        return tuple(
            Neighbour(self.tables.drugs[row].name, float(text[row]) if has_text else None, float(shape[row]) if shown else None)
            for row, shown in zip(chosen, drawn, strict=True)
        )


def _is_known(row: int | None, status: tuple[str, tuple[str, ...]] | None) -> bool:
    """Whether a known drug or disease asks and the pair is one that is treated: a fact needs no probability, and the folds held out unseen ones."""
    return row is not None and status is not None and bool(set(status[0].split("+")) & set(POSITIVE_KINDS))
