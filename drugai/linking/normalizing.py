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


def normalize_text(
    text: str, diseases: Sequence[Disease], embedding: np.ndarray, forms: Sequence[str], rows: np.ndarray, embeddings: np.ndarray, top: int = 5
) -> list[Term]:
    """The terms nearest to a text: mean of the 3-grams' Dice coefficient and the cosine, at the best name or synonym of each disease.

    Args:
        text: What someone wrote.
        diseases: Terms.
        embedding: ``[d]`` of the text.
        forms, rows, embeddings: Names and synonyms, the disease row of each, and their embeddings ``[f, d]``.
        top: Terms returned.
    """
    own = trigrams(text)
    spelling = np.array([2 * len(own & other) / max(1, len(own) + len(other)) for other in map(trigrams, forms)])
    score = (spelling + np.maximum(embeddings @ embedding, 0.0)) / 2
    found: list[Term] = []
    seen: set[int] = set()
    for position in np.argsort(-score, kind="stable"):
        row = int(rows[position])
        if row in seen:
            continue
        seen.add(row)
        found.append(Term(diseases[row].id, diseases[row].name, forms[position], float(min(1.0, score[position]))))
        if len(found) == top:
            break
    return found
