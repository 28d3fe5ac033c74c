"""What is known does not change between queries: its word rows, letter rows and places in the towers' space are computed once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from drugai.linking.lexical import Letters, Lexicon
from drugai.linking.towers import Towers, disease_inputs, drug_inputs
from drugai.linking.views import Diseases, Drugs, Knowledge

MANY = 50
"""Texts at once from which on their rows are kept: the known drugs or diseases, not the variants of one query."""


class _Kept:
    """Rows of long lists of texts by their content; the last four lists are kept."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, ...], Any] = {}

    def get(self, texts: Sequence[str], compute: Any) -> Any:
        if len(texts) < MANY:
            return compute(texts)
        key = tuple(texts)
        if key not in self.rows:
            while len(self.rows) >= 4:
                self.rows.pop(next(iter(self.rows)))
            self.rows[key] = compute(texts)
        return self.rows[key]


class RememberingLexicon(Lexicon):
    """A lexicon that counts long lists of texts once."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.__dict__.update(lexicon.__dict__)
        self._kept = _Kept()

    def unit(self, texts: Sequence[str]) -> Any:
        """As of Lexicon."""
        return self._kept.get(texts, super().unit)


class RememberingLetters(Letters):
    """The same for runs of letters."""

    def __init__(self, letters: Letters) -> None:
        self.__dict__.update(letters.__dict__)
        self._kept = _Kept()

    def unit(self, texts: Sequence[str]) -> Any:
        """As of Letters."""
        return self._kept.get(texts, super().unit)


class RememberingTowers:
    """Towers in front of which the known drugs and diseases stand already embedded."""

    def __init__(self, towers: Towers, known: Knowledge) -> None:
        self.towers, self.known = towers, known
        self._drugs: np.ndarray | None = None
        self._diseases: np.ndarray | None = None

    def score_views(self, drugs: Drugs, diseases: Diseases) -> np.ndarray:
        """As of Towers."""
        found: np.ndarray = self._embed_drugs(drugs) @ self._embed_diseases(diseases).T
        return found

    def _embed_drugs(self, drugs: Drugs) -> np.ndarray:
        if drugs is not self.known.drugs:
            return self.towers.embed_drugs(drug_inputs(drugs, self.towers.config))
        if self._drugs is None:
            self._drugs = self.towers.embed_drugs(drug_inputs(drugs, self.towers.config))
        return self._drugs

    def _embed_diseases(self, diseases: Diseases) -> np.ndarray:
        if diseases is not self.known.diseases:
            return self.towers.embed_diseases(disease_inputs(diseases, self.towers.config))
        if self._diseases is None:
            self._diseases = self.towers.embed_diseases(disease_inputs(diseases, self.towers.config))
        return self._diseases
