"""Free text → the disease term that it means: spelling (character 3-grams) and meaning (embedding) over names and synonyms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drugai.linking.tables import Disease


@dataclass(frozen=True)
class Term:
    """A disease term that a text may mean, the name or synonym that matched, and how well [0, 1]. A label, not a diagnosis."""

    id: str
    name: str
    matched: str
    score: float


def trigrams(text: str) -> frozenset[str]:
    """Character 3-grams with the ends marked."""
    padded = f"  {' '.join(text.lower().split())} "
    return frozenset(padded[start : start + 3] for start in range(len(padded) - 2))


def surface_forms(diseases: Sequence[Disease]) -> tuple[list[str], np.ndarray]:
    """Every name and synonym, and the disease row of each."""
    forms, rows = [], []
    for row, disease in enumerate(diseases):
        for form in dict.fromkeys((disease.name, *disease.synonyms)):
            forms.append(form)
            rows.append(row)
    return forms, np.array(rows, dtype=np.int64)


class SurfaceForms:
    """Every name and synonym of the diseases, ready to be compared with a text.

    Args:
        diseases: Terms.
        embeddings: ``[f, d]`` of their forms, in the order of :func:`surface_forms`.
    """

    def __init__(self, diseases: Sequence[Disease], embeddings: np.ndarray) -> None:
        self.diseases, self.embeddings = diseases, embeddings
        self.forms, self.rows = surface_forms(diseases)
        held: dict[str, list[int]] = {}
        spelt = [trigrams(form) for form in self.forms]
        for position, found in enumerate(spelt):
            for run in found:
                held.setdefault(run, []).append(position)
        self._sizes = np.array([len(found) for found in spelt])
        self._held = {run: np.array(positions) for run, positions in held.items()}

    def nearest(self, text: str, embedding: np.ndarray, top: int = 5) -> list[Term]:
        """The terms nearest to a text: mean of the 3-grams' Dice coefficient and the cosine, at the best name or synonym of each disease.

        Args:
            text: What someone wrote.
            embedding: ``[d]`` of the text.
            top: Terms returned.
        """
        own = trigrams(text)
        shared = np.zeros(len(self.forms))
        for run in own:
            if run in self._held:
                shared[self._held[run]] += 1
        spelling = 2 * shared / np.maximum(1, len(own) + self._sizes)
        score = (spelling + np.maximum(self.embeddings @ embedding, 0.0)) / 2
        found: list[Term] = []
        seen: set[int] = set()
        for position in np.argsort(-score, kind="stable"):
            row = int(self.rows[position])
            if row in seen:
                continue
            seen.add(row)
            found.append(Term(self.diseases[row].id, self.diseases[row].name, self.forms[position], float(min(1.0, score[position]))))
            if len(found) == top:
                break
        return found
