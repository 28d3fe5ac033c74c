"""The linker: a drug's text or structure → diseases, a disease's text → drugs, each with evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from drugai.errors import ConfigError
from drugai.linking.components import Diseases, Drugs, Knowledge, score_components
from drugai.linking.encoding import fingerprints
from drugai.linking.evidence import Hit, Neighbour, Ranking, occlude
from drugai.linking.fitting import Fusion, LinkerConfig
from drugai.linking.fusion import fuse, standardize_rows
from drugai.linking.lexical import Lexicon
from drugai.linking.normalizing import Term, normalize_text, surface_forms
from drugai.linking.queries import FAR, check_smiles, find_disease, find_drug, text_warnings
from drugai.linking.tables import LinkTables
from drugai.linking.towers import Towers
from drugai.models.text import TextEncoder
from drugai.molecules import tanimoto

_STRUCTURAL = ("knn_structure", "ridge", "popularity")


@dataclass(frozen=True)
class Contribution:
    """One component's share of a pair's score: the weight times the standardised score."""

    component: str
    weight: float
    score: float


@dataclass(frozen=True)
class Explanation:
    """Why a pair stands where it stands: its hit, the shares of the components, the words on both sides."""

    hit: Hit
    contributions: tuple[Contribution, ...]
    drug_words: tuple[tuple[str, float], ...]
    disease_words: tuple[tuple[str, float], ...]


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
        self, tables: LinkTables, knowledge: Knowledge, towers: Towers, fusions: dict[str, Fusion], config: LinkerConfig, encoder: TextEncoder
    ) -> None:
        self.tables, self.knowledge, self.towers, self.fusions, self.config, self.encoder = tables, knowledge, towers, fusions, config, encoder
        self.lexicon = Lexicon([*knowledge.drugs.texts, *knowledge.diseases.texts])
        self.forms, self.form_rows = surface_forms(tables.diseases)

    @cached_property
    def form_embeddings(self) -> np.ndarray:
        """Embeddings of every disease name and synonym ``[f, d]``."""
        return self.encoder.encode(self.forms)

    def rank(
        self,
        text: str = "",
        *,
        drug: str | None = None,
        smiles: str | None = None,
        top: int = 10,
        words: bool = False,
        novel: bool = False,
        area: str | None = None,
        popularity: float = 0.0,
    ) -> Ranking:
        """Diseases for a drug given by text, by name, by structure, or by text and structure.

        Args:
            text: What the drug does, in English.
            drug: Name or id of a known drug, in place of a text.
            smiles: Its structure.
            top: Hits.
            words: Find the words that carry each hit (one encoding a word).
            novel: Leave out pairs that are known.
            area: Only diseases of this area (``cancer``, ``infection`` …) or below this ontology term.
            popularity: Subtract this many standard deviations of log popularity; above 0 it favours diseases with few known drugs.

        Raises:
            DatasetError: The drug's name is unknown; near names are suggested.
            MoleculeError: The SMILES cannot be read.
        """
        row = find_drug(drug, self.tables.drugs) if drug is not None else None
        warnings = [] if row is not None else text_warnings(text, self.lexicon.words) if text.strip() or smiles is None else []
        query = self._drug(text, row, smiles)
        total, _ = self._diseases_for(query, row)
        if popularity:
            total = total - popularity * standardize_rows(np.log1p(self.knowledge.labels.sum(0, dtype=float))[None])[0]
        near_text = self._cosines(query.embeddings, self.knowledge.drugs.embeddings)
        near_shape = tanimoto(query.fingerprints, self.knowledge.drugs.fingerprints)[0]
        if row is None and text.strip() and near_text.max() < FAR and near_shape.max() < FAR:
            warnings.append(f"far from everything known (nearest known drug: cosine {near_text.max():.2f}); treat the ranking as a guess")
        status = self._statuses(row, None)
        kept = [one for one in np.argsort(-total, kind="stable") if (not novel or int(one) not in status) and self._in_area(int(one), area)][:top]
        hits = [
            self._hit(place, self.tables.diseases[one].id, self.tables.diseases[one].name, float(total[one]), "drug", status.get(int(one)),
                      self._near(np.flatnonzero(self.knowledge.labels[:, one]), near_text, near_shape, bool(text.strip()) or row is not None, row))
            for place, one in enumerate(kept, start=1)
        ]  # fmt: skip
        if words and query.texts[0]:
            hits = [
                replace(hit, words=occlude(query.texts[0], partial(self._disease_column, query.fingerprints, int(one))))
                for hit, one in zip(hits, kept, strict=True)
            ]
        told = drug or text or f"SMILES {smiles}"
        return Ranking(told, "diseases", tuple(hits), tuple(warnings))

    def rank_drugs(self, disease: str, *, top: int = 10, words: bool = False, novel: bool = False) -> Ranking:
        """Drugs for a disease given by name, synonym, identifier or description."""
        row = find_disease(disease, self.tables.diseases)
        warnings = [] if row is not None else text_warnings(disease, self.lexicon.words)
        text = self.knowledge.diseases.texts[row] if row is not None else disease.strip()
        scores = self._drugs_for([text], row)[0]
        near = self._cosines(self.encoder.encode([text]), self.knowledge.diseases.embeddings)
        if row is None and text and near.max() < FAR:
            warnings.append(f"far from everything known (nearest known disease: cosine {near.max():.2f}); treat the ranking as a guess")
        status = self._statuses(None, row)
        order = [one for one in np.argsort(-scores, kind="stable") if not novel or int(one) not in status][:top]
        hits = []
        for place, one in enumerate(order, start=1):
            known = np.flatnonzero(self.knowledge.labels[one])
            nearest = tuple(Neighbour(self.tables.diseases[other].name, float(near[other]), None) for other in known[np.argsort(-near[known])][:3])
            found = occlude(text, partial(self._drug_column, int(one))) if words else ()
            drug = self.tables.drugs[one]
            hits.append(replace(self._hit(place, drug.id, drug.name, float(scores[one]), "disease", status.get(int(one)), nearest), words=found))
        return Ranking(disease, "drugs", tuple(hits), tuple(warnings))

    def similar(self, text: str = "", *, drug: str | None = None, smiles: str | None = None, top: int = 10) -> list[Neighbour]:
        """Known drugs that resemble a drug: mean of the cosine of texts and the Tanimoto similarity, as far as each is there."""
        row = find_drug(drug, self.tables.drugs) if drug is not None else None
        query = self._drug(text, row, smiles)
        near_text, near_shape = (
            self._cosines(query.embeddings, self.knowledge.drugs.embeddings),
            tanimoto(query.fingerprints, self.knowledge.drugs.fingerprints)[0],
        )
        return list(self._near(np.arange(len(self.tables.drugs)), near_text, near_shape, bool(query.texts[0]), row, top))

    def explain(self, disease: str, text: str = "", *, drug: str | None = None, smiles: str | None = None) -> Explanation:
        """Why a drug and a known disease are linked: shares of the components, neighbours, and the words on both sides.

        Raises:
            ConfigError: The disease is not among the known ones.
        """
        column = find_disease(disease, self.tables.diseases)
        if column is None:
            near = " or ".join(term.name for term in self.normalize(disease, top=2))
            raise ConfigError(f"unknown disease {disease!r}; did you mean {near}?")
        row = find_drug(drug, self.tables.drugs) if drug is not None else None
        query = self._drug(text, row, smiles)
        components = self._components(query, row)
        weights = self._weights(query, row)
        contributions = tuple(
            sorted(
                (
                    Contribution(name, weights[name], float(weights[name] * standardize_rows(matrix)[0, column]))
                    for name, matrix in components.items()
                    if weights.get(name)
                ),
                key=lambda one: -abs(one.score),
            )
        )
        ranking = self.rank(text, drug=drug, smiles=smiles, top=len(self.tables.diseases))
        hit = next(one for one in ranking.hits if one.id == self.tables.diseases[column].id)
        drug_words = occlude(query.texts[0], partial(self._disease_column, query.fingerprints, column)) if query.texts[0] else ()
        disease_words: tuple[tuple[str, float], ...] = ()
        if row is not None:
            disease_words = occlude(self.knowledge.diseases.texts[column], partial(self._drug_column, row))
        return Explanation(hit, contributions, drug_words, disease_words)

    def normalize(self, text: str, *, top: int = 5) -> list[Term]:
        """Disease terms that a free text may mean, best first. A label, not a diagnosis."""
        if not text.strip():
            raise ConfigError("the text to be normalised is empty; write a disease in words, for example 'sugar disease'")
        return normalize_text(text, self.tables.diseases, self.encoder.encode([text])[0], self.forms, self.form_rows, self.form_embeddings, top)

    def _drug(self, text: str, row: int | None, smiles: str | None) -> Drugs:
        if row is not None:
            return self.knowledge.drugs.take([row])
        return self._drugs([text.strip()], fingerprints([check_smiles(smiles) if smiles is not None else ""]))

    def _drugs(self, texts: Sequence[str], bits: np.ndarray) -> Drugs:
        return Drugs(tuple(texts), self.encoder.encode(list(texts)), np.repeat(bits[:1], len(texts), axis=0))

    def _components(self, query: Drugs, row: int | None = None) -> dict[str, np.ndarray]:
        rows = np.full(len(query.texts), -1 if row is None else row)
        known = np.arange(len(self.tables.diseases))
        return score_components(self.knowledge, query, self.knowledge.diseases, rows, known, self.config.memory, towers=self.towers, lexicon=self.lexicon)

    def _weights(self, query: Drugs, row: int | None = None) -> dict[str, float]:
        """A query without a text has no say from the text components; without a text and structure popularity is all that is left."""
        weights = dict(self.fusions["drug"].weights)
        if row is not None:
            weights["knn_text"] = max(1.0, weights.get("knn_text", 0.0))  # of a known drug the memory has the pairs themselves
        if any(query.texts):
            return weights
        if not query.fingerprints.any():
            return {"popularity": 1.0}
        return {name: weights.get(name) or 1.0 for name in _STRUCTURAL if name != "popularity"}

    def _diseases_for(self, query: Drugs, row: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Fused scores of the first query ``[m]`` and of all ``[q, m]``."""
        fused = fuse(self._components(query, row), self._weights(query, row))
        return fused[0], fused

    def _drugs_for(self, texts: Sequence[str], row: int | None) -> np.ndarray:
        """Fused scores ``[q, n]`` of all known drugs for disease texts (or the known disease of that row)."""
        if row is not None:
            asked, rows = self.knowledge.diseases.take([row]), np.array([row])
        else:
            embeddings = self.encoder.encode(list(texts))
            asked, rows = Diseases(tuple(texts), embeddings, embeddings, (frozenset(),) * len(texts)), np.full(len(texts), -1)
        known = np.arange(len(self.tables.drugs))
        found = score_components(self.knowledge, self.knowledge.drugs, asked, known, rows, self.config.memory, towers=self.towers, lexicon=self.lexicon)
        weights = dict(self.fusions["disease"].reverse) if any(text.strip() for text in texts) or row is not None else {"popularity": 1.0}
        if row is not None:
            weights["knn_text"] = max(1.0, weights.get("knn_text", 0.0))
        return fuse({name: matrix.T for name, matrix in found.items()}, weights)

    def _disease_column(self, bits: np.ndarray, column: int, texts: Sequence[str]) -> np.ndarray:
        found: np.ndarray = self._diseases_for(self._drugs(texts, bits))[1][:, column]
        return found

    def _drug_column(self, column: int, texts: Sequence[str]) -> np.ndarray:
        found: np.ndarray = self._drugs_for(texts, None)[:, column]
        return found

    def _hit(self, place: int, id: str, name: str, score: float, regime: str, known: tuple[str, tuple[str, ...]] | None, near: Iterable[Neighbour]) -> Hit:
        fusion = self.fusions[regime]
        probability = float(1 / (1 + np.exp(-(fusion.slope * score + fusion.offset)))) if regime == "drug" else None
        status, sources = known if known is not None else ("novel", ())
        return Hit(place, id, name, score, probability, status, sources, tuple(near))

    def _statuses(self, drug: int | None, disease: int | None) -> dict[int, tuple[str, tuple[str, ...]]]:
        """What is known of a known drug's pairs by disease row, or of a known disease's pairs by drug row."""
        found: dict[int, tuple[list[str], list[str]]] = {}
        for pair in self.tables.indications:
            rows = self.tables.drug_rows[pair.drug], self.tables.disease_rows[pair.disease]
            if (drug is not None and rows[0] == drug) or (disease is not None and rows[1] == disease):
                kinds, sources = found.setdefault(rows[1] if drug is not None else rows[0], ([], []))
                kinds.append(pair.kind)
                sources.extend(pair.sources)
        return {row: ("+".join(dict.fromkeys(kinds)), tuple(dict.fromkeys(sources))) for row, (kinds, sources) in found.items()}

    def _near(self, rows: np.ndarray, text: np.ndarray, shape: np.ndarray, has_text: bool, own: int | None, top: int = 3) -> tuple[Neighbour, ...]:
        rows = rows[rows != own] if own is not None else rows
        has_shape = bool(shape.any())
        joint = (text[rows] * has_text + shape[rows] * has_shape) / max(1, has_text + has_shape)
        chosen = rows[np.argsort(-joint, kind="stable")][:top]
        return tuple(
            Neighbour(
                self.tables.drugs[row].name, float(text[row]) if has_text else None, float(shape[row]) if has_shape and self.tables.drugs[row].smiles else None
            )
            for row in chosen
        )

    def _in_area(self, row: int, area: str | None) -> bool:
        disease = self.tables.diseases[row]
        return area is None or disease.area.lower() == area.lower() or area in disease.ancestors or area == disease.id

    @staticmethod
    def _cosines(query: np.ndarray, known: np.ndarray) -> np.ndarray:
        found: np.ndarray = (query[:1] @ known.T)[0]
        return found
