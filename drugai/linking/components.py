"""Everything that says something about a pair, each as one matrix ``[drugs, diseases]``: popularity, words, terms, neighbours, ridge, towers.

The same object serves the benchmark (rows of the tables) and a user's query (a text or structure that stands in no table). What a query does not change is
computed once, when it is first needed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from drugai.config import Config, tunable
from drugai.linking.kernels import DiseaseLikeness, DrugLikeness, KernelConfig
from drugai.linking.lexical import Letters, Lexicon
from drugai.linking.memory import identity_weights, neighbour_weights
from drugai.linking.views import Diseases, Drugs, Knowledge

if TYPE_CHECKING:
    from drugai.linking.towers import Towers

COMPONENTS = (
    "popularity", "tfidf", "bm25", "zero_shot", "class_zero_shot", "terms", "best_term", "letters", "knn_text", "knn_structure", "ridge", "towers",
)  # fmt: skip
BEST_TERMS = 3


@dataclass(frozen=True)
class MemoryConfig(Config):
    """How neighbours are weighed."""

    drug_neighbours: int = tunable(20, 5, 40, help="known drugs that vote, by text and by structure")
    disease_neighbours: int = tunable(20, 5, 40, help="known diseases that vote for one that is unseen")
    text_power: float = tunable(8.0, 1.0, 16.0, help="exponent on the text similarity of a known drug")
    structure_power: float = tunable(4.0, 1.0, 8.0, help="exponent on the Tanimoto similarity of a known drug")
    disease_power: float = tunable(4.0, 1.0, 16.0, help="exponent on the text similarity of a known disease")
    kernels: KernelConfig = field(default_factory=KernelConfig)
    drug_penalty: float = tunable(1.0, 0.03, 3.0, log=True, help="λ of the ridge on the drug side")
    disease_penalty: float = tunable(1.0, 0.03, 10.0, log=True, help="λ of the ridge on the disease side")
    trials: float = tunable(0.25, 0.0, 0.5, help="a pair that was tried in people, and not more, counts this much of a label in the memory")


class Memory:
    """What is known, made ready to be asked.

    Args:
        known: Drugs, diseases, labels.
        config: Weights of neighbours.
    """

    def __init__(self, known: Knowledge, config: MemoryConfig) -> None:
        self.known, self.config = known, config
        self.labels = known.labels.astype(np.float64)
        self.targets = known.targets(config.trials)
        self.lexicon = Lexicon([*known.drugs.texts, *known.diseases.texts])

    @cached_property
    def letters(self) -> Letters:
        """Frequencies of letter runs in all texts."""
        return Letters([*self.known.drugs.texts, *self.known.diseases.texts])

    @cached_property
    def drug_likeness(self) -> DrugLikeness:
        """Likeness to the known drugs."""
        return DrugLikeness(self.known.drugs, self.config.kernels, self.lexicon)

    @cached_property
    def disease_likeness(self) -> DiseaseLikeness:
        """Likeness to the known diseases."""
        return DiseaseLikeness(self.known.diseases, self.config.kernels, self.letters)

    @cached_property
    def _drug_dual(self) -> np.ndarray:
        """``(K + λ)⁻¹ Y`` of the drugs ``[n, m]``: a new drug costs one product."""
        own = self.drug_likeness.to(self.known.drugs)
        found: np.ndarray = np.linalg.solve(own + self.config.drug_penalty * np.eye(len(own)), self.targets)
        return found

    @cached_property
    def _disease_inverse(self) -> np.ndarray:
        own = self.disease_likeness.to(self.known.diseases)
        own = (own + own.T) / 2
        found: np.ndarray = np.linalg.inv(own + self.config.disease_penalty * np.eye(len(own)))
        return found

    def score(
        self, drugs: Drugs, diseases: Diseases, drug_rows: np.ndarray, disease_rows: np.ndarray, *, towers: Towers | None = None, only: set[str] | None = None
    ) -> dict[str, np.ndarray]:
        """Every component's score of every asked pair.

        Args:
            drugs, diseases: What is asked, q drugs and c diseases.
            drug_rows, disease_rows: Row of each asked drug or disease in memory, −1 for an unseen one.
            towers: Left out if None.
            only: Components that are wanted; all by default.

        Returns:
            Component → ``[q, c]`` float64.
        """
        compute = {
            "popularity": lambda: self._popularity(drug_rows, disease_rows),
            "tfidf": lambda: self._shared_words(drugs, diseases),
            "bm25": lambda: self.lexicon.bm25(drugs.texts, diseases.texts),
            "zero_shot": lambda: (drugs.embeddings @ diseases.both.T).astype(np.float64),
            "class_zero_shot": lambda: (drugs.classes @ diseases.names.T).astype(np.float64),
            "terms": lambda: self._terms(drugs, diseases, BEST_TERMS),
            "best_term": lambda: self._terms(drugs, diseases, 1),
            "letters": lambda: self._shared_letters(drugs, diseases),
            "knn_text": lambda: self._carry(self._text_votes(drugs, drug_rows), diseases, disease_rows),
            "knn_structure": lambda: self._carry(self._structure_votes(drugs), diseases, disease_rows),
            "ridge": lambda: self._ridge(drugs, diseases, drug_rows, disease_rows),
        }
        if towers is not None:
            compute["towers"] = lambda: towers.score_views(drugs, diseases).astype(np.float64)
        return {name: found() for name, found in compute.items() if only is None or name in only}

    @cached_property
    def _degrees(self) -> tuple[np.ndarray, np.ndarray]:
        """Number of known partners of each drug and of each disease."""
        return self.labels.sum(axis=1), self.labels.sum(axis=0)

    def _popularity(self, drug_rows: np.ndarray, disease_rows: np.ndarray) -> np.ndarray:
        by_drug, by_disease = self._degrees
        columns = np.log1p(np.where(disease_rows >= 0, by_disease[disease_rows], 0.0))
        found: np.ndarray = columns[None, :] + np.log1p(np.where(drug_rows >= 0, by_drug[drug_rows], 0.0))[:, None]
        return found

    def _shared_words(self, drugs: Drugs, diseases: Diseases) -> np.ndarray:
        return self.lexicon.tfidf(drugs.texts, diseases.texts)

    def _shared_letters(self, drugs: Drugs, diseases: Diseases) -> np.ndarray:
        found: np.ndarray = (self.letters.unit([bare(text) for text in drugs.texts]) @ self.letters.unit(diseases.texts).T).toarray()
        return found

    def _terms(self, drugs: Drugs, diseases: Diseases, best: int) -> np.ndarray:
        return term_scores(drugs, diseases, best)

    def _text_votes(self, drugs: Drugs, drug_rows: np.ndarray) -> np.ndarray:
        """What the nearest known drugs by text are for ``[q, m]``; a drug in memory speaks for itself."""
        if (drug_rows >= 0).all():
            own: np.ndarray = self.labels[drug_rows]
            return own
        weights = neighbour_weights(drugs.embeddings @ self.known.drugs.embeddings.T, self.config.drug_neighbours, self.config.text_power)
        return self._vote(np.where((drug_rows >= 0)[:, None], identity_weights(drug_rows, len(self.labels)), weights))

    def _structure_votes(self, drugs: Drugs) -> np.ndarray:
        """The same by structure; here a drug in memory is asked through its neighbours, of which it is one."""
        similarity = self.drug_likeness.structures.to(drugs.fingerprints)
        return self._vote(neighbour_weights(similarity, self.config.drug_neighbours, self.config.structure_power))

    def _vote(self, weights: np.ndarray) -> np.ndarray:
        found: np.ndarray = weights @ self.labels
        return found

    def _carry(self, votes: np.ndarray, diseases: Diseases, disease_rows: np.ndarray) -> np.ndarray:
        """Votes on the known diseases ``[q, m]`` → on the asked ones: one in memory answers for itself, an unseen one through its own neighbours."""
        if (disease_rows >= 0).all():
            found: np.ndarray = votes[:, disease_rows]
            return found
        found = votes @ self._disease_neighbours(diseases, disease_rows).T
        return found

    def _disease_neighbours(self, diseases: Diseases, disease_rows: np.ndarray) -> np.ndarray:
        """Weights of each asked disease on the known ones ``[c, m]`` by its nearest texts; one in memory is its own."""
        near = neighbour_weights(diseases.embeddings @ self.known.diseases.embeddings.T, self.config.disease_neighbours, self.config.disease_power)
        found: np.ndarray = np.where((disease_rows >= 0)[:, None], identity_weights(disease_rows, self.labels.shape[1]), near)
        return found

    def _ridge(self, drugs: Drugs, diseases: Diseases, drug_rows: np.ndarray, disease_rows: np.ndarray) -> np.ndarray:
        """Kernel ridge regression over the sides that are unseen; a seen drug or disease has its own pairs on that side."""
        if (drug_rows >= 0).all():
            carried = self.targets[drug_rows]
        else:
            carried = self.drug_likeness.to(drugs) @ self._drug_dual
            carried[drug_rows >= 0] = self.targets[drug_rows[drug_rows >= 0]]
        if (disease_rows >= 0).all():
            found: np.ndarray = carried[:, disease_rows]
            return found
        found = carried @ self._disease_weights(diseases, disease_rows).T
        return found

    def _disease_weights(self, diseases: Diseases, disease_rows: np.ndarray) -> np.ndarray:
        """Ridge weights of each asked disease on the known ones ``[c, m]``; one in memory has its own pairs."""
        found: np.ndarray = self.disease_likeness.to(diseases) @ self._disease_inverse
        found[disease_rows >= 0] = identity_weights(disease_rows, self.labels.shape[1])[disease_rows >= 0]
        return found


def term_scores(drugs: Drugs, diseases: Diseases, best: int) -> np.ndarray:
    """Mean of the ``best`` highest cosines between a drug's terms and a disease ``[q, c]``: one telling term is enough, the others do not dilute it."""
    target = diseases.both.T
    found = np.zeros((len(drugs.texts), target.shape[1]))
    counts = [len(terms) for terms in drugs.terms]
    if not sum(counts):
        return found
    cosines = np.concatenate(drugs.terms) @ target  # [all terms, c]
    for row, part in enumerate(np.split(cosines, np.cumsum(counts)[:-1])):
        if len(part):
            kept = min(best, len(part))
            found[row] = np.partition(part, len(part) - kept, axis=0)[-kept:].mean(axis=0)
    return found


def bare(text: str) -> str:
    """``antihypertensive`` → ``hypertensive``: what a drug is against, in the letters of the disease."""
    return re.sub(r"\banti-?", "", text.lower())
