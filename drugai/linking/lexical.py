"""Word overlap of drug texts and disease texts: TF-IDF cosine and BM25, the baselines that every learned space has to beat.

Source: BM25 as in Robertson & Zaragoza 2009 (10.1561/1500000019), k1 = 1.2, b = 0.75; TF-IDF with 1 + log tf, smooth idf and unit rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

_TOKEN = re.compile(r"[a-z0-9][a-z0-9-]+")
_STOP = frozenset(
    (
        "the",
        "of",
        "and",
        "in",
        "to",
        "is",
        "are",
        "that",
        "with",
        "by",
        "for",
        "or",
        "an",
        "as",
        "on",
        "from",
        "at",
        "which",
        "it",
        "its",
        "be",
        "this",
        "has",
        "have",
        "has_material_basis_in",
        "located_in",
        "also",
        "called",
    )
)
K1, B = 1.2, 0.75


def tokens(text: str) -> list[str]:
    """Lower-case words without the most frequent English ones."""
    return [word for word in _TOKEN.findall(text.lower()) if word not in _STOP]


class Lexicon:
    """Vocabulary and document frequencies of a corpus, learnt once; words it has not seen count for nothing.

    Args:
        corpus: Texts of both sides that may be known (training drugs and diseases).
    """

    def __init__(self, corpus: Sequence[str]) -> None:
        counts: Counter[str] = Counter()
        for text in corpus:
            counts.update(set(tokens(text)))
        self.words = {word: column for column, word in enumerate(sorted(counts))}
        frequency = np.array([counts[word] for word in sorted(counts)], dtype=np.float64)
        self.idf = np.log((1 + len(corpus)) / (1 + frequency)) + 1
        self.bm25_idf = np.log1p((len(corpus) - frequency + 0.5) / (frequency + 0.5))

    def counts(self, texts: Sequence[str]) -> Any:
        """Word counts as a sparse matrix ``[n, words]``."""
        from scipy.sparse import csr_matrix

        rows, columns, values = [], [], []
        for row, text in enumerate(texts):
            for word, number in Counter(tokens(text)).items():
                if word in self.words:
                    rows.append(row)
                    columns.append(self.words[word])
                    values.append(float(number))
        return csr_matrix((values, (rows, columns)), shape=(len(texts), len(self.words)))

    def tfidf(self, queries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """Cosine of the TF-IDF rows, ``[queries, documents]`` in [0, 1]."""
        found: np.ndarray = (self._unit(queries) @ self._unit(documents).T).toarray()
        return found

    def bm25(self, queries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """BM25 of every document for every query, ``[queries, documents]``."""
        documented = self.counts(documents)
        length = np.asarray(documented.sum(axis=1)).ravel()
        damped = documented.copy()
        row = np.repeat(np.arange(documented.shape[0]), np.diff(documented.indptr))
        damped.data = documented.data * (K1 + 1) / (documented.data + K1 * (1 - B + B * length[row] / max(length.mean(), 1e-9)))
        asked = self.counts(queries)
        asked.data = np.ones_like(asked.data)
        found: np.ndarray = (asked.multiply(self.bm25_idf[None, :]).tocsr() @ damped.T).toarray()
        return found

    def _unit(self, texts: Sequence[str]) -> Any:
        found = self.counts(texts)
        found.data = 1 + np.log(found.data)
        weighted = found.multiply(self.idf[None, :]).tocsr()
        norm = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        row = np.repeat(np.arange(weighted.shape[0]), np.diff(weighted.indptr))
        weighted.data = weighted.data / np.maximum(norm[row], 1e-12)
        return weighted
