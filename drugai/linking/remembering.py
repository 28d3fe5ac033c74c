"""What is known does not change between queries: its word rows, letter rows, terms, votes and places in the towers' space are computed once and kept.

The numbers are those of :class:`Memory` to rounding; only the known drugs and diseases of the linker itself (the same objects) are recognised.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from drugai.linking.components import Memory, bare
from drugai.linking.memory import identity_weights
from drugai.linking.towers import Towers, disease_inputs, drug_inputs
from drugai.linking.views import Diseases, Drugs, Knowledge


class RememberingMemory(Memory):
    """A memory that is asked one query after another, each against everything known."""

    @cached_property
    def _sparse_labels(self) -> Any:
        from scipy.sparse import csr_matrix

        return csr_matrix(self.labels)

    @cached_property
    def _sparse_targets(self) -> Any:
        from scipy.sparse import csr_matrix

        return csr_matrix(self.targets)

    # rows of the known side by column, so that a query touches its own words and letters alone
    @cached_property
    def _drug_words(self) -> Any:
        return self.lexicon.unit(self.known.drugs.texts).T.tocsr()

    @cached_property
    def _disease_words(self) -> Any:
        return self.lexicon.unit(self.known.diseases.texts).T.tocsr()

    @cached_property
    def _drug_letters(self) -> Any:
        return self.letters.unit([bare(text) for text in self.known.drugs.texts]).T.tocsr()

    @cached_property
    def _disease_letters(self) -> Any:
        return self.letters.unit(self.known.diseases.texts).T.tocsr()

    @cached_property
    def _known_terms(self) -> TermTable:
        return TermTable(self.known.drugs)

    @cached_property
    def _known_structure_votes(self) -> Any:
        from scipy.sparse import csr_matrix

        return csr_matrix(super()._structure_votes(self.known.drugs))

    def _shared_words(self, drugs: Drugs, diseases: Diseases) -> np.ndarray:
        if diseases is self.known.diseases:
            return _dense(self.lexicon.unit(drugs.texts) @ self._disease_words)
        if drugs is self.known.drugs:
            return _dense(self.lexicon.unit(diseases.texts) @ self._drug_words).T
        return super()._shared_words(drugs, diseases)

    def _shared_letters(self, drugs: Drugs, diseases: Diseases) -> np.ndarray:
        if diseases is self.known.diseases:
            return _dense(self.letters.unit([bare(text) for text in drugs.texts]) @ self._disease_letters)
        if drugs is self.known.drugs:
            return _dense(self.letters.unit(diseases.texts) @ self._drug_letters).T
        return super()._shared_letters(drugs, diseases)

    def _terms(self, drugs: Drugs, diseases: Diseases, best: int) -> np.ndarray:
        return self._known_terms.scores(diseases, best) if drugs is self.known.drugs else super()._terms(drugs, diseases, best)

    def _text_votes(self, drugs: Drugs, drug_rows: np.ndarray) -> Any:
        return self._sparse_labels if drugs is self.known.drugs else super()._text_votes(drugs, drug_rows)

    def _structure_votes(self, drugs: Drugs) -> Any:
        return self._known_structure_votes if drugs is self.known.drugs else super()._structure_votes(drugs)

    def _vote(self, weights: np.ndarray) -> np.ndarray:
        found: np.ndarray = weights @ self._sparse_labels
        return found

    def _carry(self, votes: Any, diseases: Diseases, disease_rows: np.ndarray) -> np.ndarray:
        if isinstance(votes, np.ndarray):
            return super()._carry(votes, diseases, disease_rows)
        found: np.ndarray = votes @ self._disease_neighbours(diseases, disease_rows).T
        return found

    def _ridge(self, drugs: Drugs, diseases: Diseases, drug_rows: np.ndarray, disease_rows: np.ndarray) -> np.ndarray:
        if drugs is not self.known.drugs:
            return super()._ridge(drugs, diseases, drug_rows, disease_rows)
        seen = bool((disease_rows >= 0).all())
        weights = identity_weights(disease_rows, self.labels.shape[1]) if seen else self._disease_weights(diseases, disease_rows)
        found: np.ndarray = self._sparse_targets @ weights.T
        return found


class TermTable:
    """The terms of many drugs, each different one once: cosines with a disease are taken by term and handed out to the drugs.

    Args:
        drugs: Whose terms.
    """

    def __init__(self, drugs: Drugs) -> None:
        rows: dict[str, int] = {}
        table = []
        for words, embeddings in zip(drugs.words, drugs.terms, strict=True):
            for word, embedding in zip(words, embeddings, strict=True):
                if word not in rows:
                    rows[word] = len(rows)
                    table.append(embedding)
        self._count = len(drugs.words)
        self._table = np.stack(table) if table else np.zeros((0, drugs.embeddings.shape[1]), np.float32)
        # drugs with as many terms are one block
        by_length: dict[int, list[int]] = {}
        for drug, words in enumerate(drugs.words):
            by_length.setdefault(len(words), []).append(drug)
        self._blocks = [
            (np.array(found), np.array([[rows[word] for word in drugs.words[drug]] for drug in found])) for length, found in by_length.items() if length
        ]

    def scores(self, diseases: Diseases, best: int) -> np.ndarray:
        """As of :func:`drugai.linking.components.term_scores` ``[n, c]``."""
        cosines = self._table @ diseases.both.T  # [terms, c]
        found = np.zeros((self._count, cosines.shape[1]))
        for drugs, terms in self._blocks:
            kept = min(best, terms.shape[1])
            part = cosines[terms]  # [drugs of the block, length, c]
            found[drugs] = np.partition(part, terms.shape[1] - kept, axis=1)[:, -kept:].mean(axis=1)
        return found


class RememberingTowers:
    """Towers in front of which the known drugs and diseases stand already embedded."""

    def __init__(self, towers: Towers, known: Knowledge) -> None:
        self.towers, self.known = towers, known

    @cached_property
    def _drugs(self) -> np.ndarray:
        return self.towers.embed_drugs(drug_inputs(self.known.drugs, self.towers.config))

    @cached_property
    def _diseases(self) -> np.ndarray:
        return self.towers.embed_diseases(disease_inputs(self.known.diseases, self.towers.config))

    def score_views(self, drugs: Drugs, diseases: Diseases) -> np.ndarray:
        """As of Towers."""
        rows = self._drugs if drugs is self.known.drugs else self.towers.embed_drugs(drug_inputs(drugs, self.towers.config))
        columns = self._diseases if diseases is self.known.diseases else self.towers.embed_diseases(disease_inputs(diseases, self.towers.config))
        found: np.ndarray = rows @ columns.T
        return found


def _dense(matrix: Any) -> np.ndarray:
    found: np.ndarray = matrix.toarray()
    return found
