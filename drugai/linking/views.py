"""Drugs and diseases as a model sees them: texts and everything that is computed from them once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

_LABELS = re.compile(
    r"\b(pharmacologic class|pharmacological action|role|mechanism of action|physiologic effect|chemical class|target genes|target actions|acts on)\b:?", re.I
)
MOST_TERMS = 40


def split_terms(text: str) -> tuple[str, ...]:
    """A text as the terms that it lists: pieces between commas, semicolons, full stops and the labels of composed texts, in lower case, each once.

    Example:
        >>> split_terms("Pharmacologic class: Biguanide. Role: hypoglycemic agent.")
        ('biguanide', 'hypoglycemic agent')
    """
    pieces = re.split(r"[;.]\s|[;.]$|, ", _LABELS.sub("; ", text.strip()))
    return tuple(dict.fromkeys(piece for part in pieces if (piece := " ".join(part.strip(" ;.,").lower().split()))))[:MOST_TERMS]


@dataclass(frozen=True, eq=False)
class Drugs:
    """n drugs.

    Attributes:
        texts: n texts.
        embeddings: ``[n, d]`` of the texts; a row of zeros for an empty text.
        fingerprints: ``[n, bits]``; a row of zeros where no structure is known.
        classes: ``[n, d]`` of the class alone; of the text where no class is known.
        terms: For each drug the embeddings ``[k, d]`` of the terms of its class (of its text where no class is known).
        words: The terms themselves.
    """

    texts: tuple[str, ...]
    embeddings: np.ndarray
    fingerprints: np.ndarray
    classes: np.ndarray
    terms: tuple[np.ndarray, ...]
    words: tuple[tuple[str, ...], ...]

    def take(self, rows: Sequence[int] | np.ndarray) -> Drugs:
        """The drugs at these rows."""
        pick = [int(row) for row in rows]
        return Drugs(
            tuple(self.texts[row] for row in pick),
            self.embeddings[pick],
            self.fingerprints[pick],
            self.classes[pick],
            tuple(self.terms[row] for row in pick),
            tuple(self.words[row] for row in pick),
        )

    @cached_property
    def both(self) -> np.ndarray:
        """Unit mean of text and class ``[n, d]``: a long list of targets drowns the class in the text's own embedding."""
        mean = self.embeddings + self.classes
        found: np.ndarray = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)
        return found


@dataclass(frozen=True, eq=False)
class Diseases:
    """m diseases.

    Attributes:
        texts: Name, definition and synonyms.
        embeddings: ``[m, d]`` of the texts.
        names: ``[m, d]`` of the bare names.
        definitions: ``[m, d]``; a row of zeros where there is none.
        forms: For each disease the embeddings ``[k, d]`` of its name and synonyms.
        ancestors: Ontology terms above it and itself; empty for one that stands in no ontology.
    """

    texts: tuple[str, ...]
    embeddings: np.ndarray
    names: np.ndarray
    definitions: np.ndarray
    forms: tuple[np.ndarray, ...]
    ancestors: tuple[frozenset[str], ...]

    def take(self, rows: Sequence[int] | np.ndarray) -> Diseases:
        """The diseases at these rows."""
        pick = [int(row) for row in rows]
        return Diseases(
            tuple(self.texts[row] for row in pick),
            self.embeddings[pick],
            self.names[pick],
            self.definitions[pick],
            tuple(self.forms[row] for row in pick),
            tuple(self.ancestors[row] for row in pick),
        )

    @cached_property
    def both(self) -> np.ndarray:
        """Mean of full text and name: a definition helps among diseases, the bare name helps against drug texts."""
        return (self.embeddings + self.names) / 2


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What is known.

    Attributes:
        drugs, diseases: n and m.
        labels: ``[n, m]`` bool, treated or palliated.
        trials: ``[n, m]`` bool, tried in people and not more: weak evidence. None: none is known.
    """

    drugs: Drugs
    diseases: Diseases
    labels: np.ndarray
    trials: np.ndarray | None = None

    def targets(self, of_trial: float) -> np.ndarray:
        """What the memory carries over: 1 for a label, ``of_trial`` for a trial, else 0 ``[n, m]``."""
        found = self.labels.astype(np.float64)
        return found if self.trials is None or not of_trial else np.maximum(found, of_trial * self.trials)


def without_structure(drugs: Drugs) -> Drugs:
    """The same drugs with their structures unknown."""
    return replace(drugs, fingerprints=np.zeros_like(drugs.fingerprints))
