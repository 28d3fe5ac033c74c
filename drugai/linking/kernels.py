"""How alike two drugs or two diseases are: several views, each between 0 and 1, and their mean.

A drug: words of its text (TF-IDF cosine), meaning of its class (sharpened cosine), terms of its class (shared share, rare ones count more), structure (Tanimoto).
A disease: meaning of its text, of its definition, of its nearest name or synonym (sharpened cosines), and runs of letters (TF-IDF cosine); ancestors on request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drugai.config import Config, setting, tunable
from drugai.linking.lexical import Letters, Lexicon, unit_rows
from drugai.linking.memory import ancestor_similarity, sharpen
from drugai.linking.views import Diseases, Drugs


@dataclass(frozen=True)
class KernelConfig(Config):
    """Shares of the views in the two similarities (they are divided by their sum)."""

    words: float = tunable(1.0, 0.0, 2.0, help="drug: words of the text")
    meaning: float = tunable(1.0, 0.0, 2.0, help="drug: embedding of the class")
    terms: float = tunable(1.0, 0.0, 2.0, help="drug: terms of the class")
    structure: float = tunable(1.0, 0.0, 2.0, help="drug: fingerprints")
    text: float = tunable(1.0, 0.0, 2.0, help="disease: embedding of name, definition and synonyms")
    definition: float = tunable(1.0, 0.0, 2.0, help="disease: embedding of the definition")
    synonyms: float = tunable(1.0, 0.0, 2.0, help="disease: nearest of the names and synonyms")
    letters: float = tunable(1.0, 0.0, 2.0, help="disease: runs of letters")
    ontology: float = setting(0.0, help="disease: shared ancestors; 0, because a disease known by its text alone has none")
    sharpness: float = tunable(5.0, 2.0, 20.0, log=True, help="of the Gaussian kernel on embeddings")


class Structures:
    """Fingerprints of known drugs, packed: shared bits are counted 64 at a time, which is many times faster for one query than a product of floats.

    Args:
        known: ``[n, bits]`` of 0 and 1; bits a multiple of 64.
    """

    def __init__(self, known: np.ndarray) -> None:
        self._packed, self._sizes = _pack(known), known.sum(axis=1, dtype=np.float32)

    def to(self, fingerprints: np.ndarray) -> np.ndarray:
        """Tanimoto similarity ``[q, n]`` float32, as of :func:`drugai.molecules.tanimoto`."""
        found = np.zeros((len(fingerprints), len(self._packed)), dtype=np.float32)
        for row, own in enumerate(_pack(fingerprints)):
            if own.any():
                shared = np.bitwise_count(self._packed & own).sum(axis=1, dtype=np.int32).astype(np.float32)
                found[row] = shared / (self._sizes + np.float32(np.bitwise_count(own).sum()) - shared)
        return found


def _pack(fingerprints: np.ndarray) -> np.ndarray:
    return np.packbits(fingerprints.astype(bool), axis=1).view(np.uint64)


class DrugLikeness:
    """Similarity of drugs to known drugs.

    Args:
        known: Their texts and terms decide how rare a word or term is.
        config: Shares.
        lexicon: Of words.
    """

    def __init__(self, known: Drugs, config: KernelConfig, lexicon: Lexicon) -> None:
        self.known, self.config, self.lexicon = known, config, lexicon
        self.structures = Structures(known.fingerprints)
        counts = Counter(term for found in known.words for term in set(found))
        self._columns = {term: column for column, term in enumerate(sorted(counts))}
        self._idf = np.array([np.log((1 + len(known.words)) / (1 + counts[term])) + 1 for term in sorted(counts)])
        # kept by column: a query touches the rows of its own words alone
        self._words, self._terms = lexicon.unit(known.texts).T.tocsr(), self._term_rows(known.words).T.tocsr()

    def to(self, drugs: Drugs) -> np.ndarray:
        """``[q, n]`` in [0, 1]."""
        shares = self.config
        parts = (
            (shares.words, lambda: (self.lexicon.unit(drugs.texts) @ self._words).toarray()),
            (shares.meaning, lambda: sharpen(drugs.classes @ self.known.classes.T, shares.sharpness) * _said(drugs.classes)),
            (shares.terms, lambda: (self._term_rows(drugs.words) @ self._terms).toarray()),
            (shares.structure, lambda: self.structures.to(drugs.fingerprints)),
        )
        return _mean(parts, (len(drugs.texts), len(self.known.texts)))

    def _term_rows(self, words: Sequence[Sequence[str]]) -> Any:
        from scipy.sparse import csr_matrix

        pairs = [(row, self._columns[term]) for row, found in enumerate(words) for term in dict.fromkeys(found) if term in self._columns]
        rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return unit_rows(csr_matrix((self._idf[columns], (rows, columns)), shape=(len(words), len(self._idf))))


class DiseaseLikeness:
    """Similarity of diseases to known diseases."""

    def __init__(self, known: Diseases, config: KernelConfig, letters: Letters) -> None:
        self.known, self.config, self.letters = known, config, letters
        self._letters = letters.unit(known.texts).T.tocsr()  # by bucket, of which a query touches a few hundred in a million
        self._forms, self._starts = np.concatenate(known.forms), np.cumsum([0, *(len(found) for found in known.forms[:-1])])

    def to(self, diseases: Diseases) -> np.ndarray:
        """``[c, m]`` in [0, 1]."""
        shares, known = self.config, self.known
        parts = (
            (shares.text, lambda: sharpen(diseases.embeddings @ known.embeddings.T, shares.sharpness) * _said(diseases.embeddings)),
            (shares.definition, lambda: sharpen(diseases.definitions @ known.definitions.T, shares.sharpness)),
            (shares.synonyms, lambda: sharpen(self._nearest_forms(diseases), shares.sharpness) * _said(diseases.embeddings)),
            (shares.letters, lambda: (self.letters.unit(diseases.texts) @ self._letters).toarray()),
            (shares.ontology, lambda: ancestor_similarity(list(diseases.ancestors), list(known.ancestors))),
        )
        return _mean(parts, (len(diseases.texts), len(known.texts)))

    def _nearest_forms(self, diseases: Diseases) -> np.ndarray:
        flat = np.concatenate(diseases.forms)
        starts = np.cumsum([0, *(len(found) for found in diseases.forms[:-1])])
        found: np.ndarray = np.maximum.reduceat(np.maximum.reduceat(flat @ self._forms.T, self._starts, axis=1), starts, axis=0)
        return found


def _said(rows: np.ndarray) -> np.ndarray:
    """0 for an empty text, whose cosine of 0 would otherwise be sharpened into a little likeness with everything."""
    return (np.abs(rows).sum(axis=1, keepdims=True) > 0).astype(np.float64)


def _mean(parts: Sequence[tuple[float, Any]], shape: tuple[int, int]) -> np.ndarray:
    total = sum(share for share, _ in parts)
    found = np.zeros(shape)
    for share, compute in parts:
        if share:
            found += share / total * compute()
    return found
