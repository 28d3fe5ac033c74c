"""Overlap of texts: TF-IDF cosine and BM25 over words, the baselines that every learned space has to beat, and TF-IDF over runs of letters.

Letters see what words miss: ``Antihypertensive Agents`` and ``hypertension`` share no word.

Source: BM25 as in Robertson & Zaragoza 2009 (10.1561/1500000019), k1 = 1.2, b = 0.75; TF-IDF with 1 + log tf, smooth idf and unit rows.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

_TOKEN = re.compile(r"\w\w+")
# "system" is none of English's, but half of the classes end in "System Agents", and a third of the diseases are of some system
_STOP = frozenset(
    [
        "about",
        "above",
        "after",
        "again",
        "all",
        "also",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "because",
        "been",
        "before",
        "being",
        "below",
        "between",
        "both",
        "but",
        "by",
        "called",
        "can",
        "cannot",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "down",
        "during",
        "each",
        "either",
        "else",
        "etc",
        "few",
        "for",
        "from",
        "further",
        "had",
        "has",
        "have",
        "having",
        "he",
        "her",
        "here",
        "hers",
        "him",
        "his",
        "how",
        "however",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "itself",
        "less",
        "may",
        "me",
        "might",
        "more",
        "most",
        "much",
        "must",
        "my",
        "neither",
        "no",
        "nor",
        "not",
        "now",
        "of",
        "off",
        "often",
        "on",
        "once",
        "one",
        "only",
        "or",
        "other",
        "others",
        "our",
        "out",
        "over",
        "own",
        "per",
        "rather",
        "same",
        "she",
        "should",
        "since",
        "so",
        "some",
        "still",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "three",
        "through",
        "thus",
        "to",
        "together",
        "too",
        "toward",
        "towards",
        "two",
        "under",
        "until",
        "up",
        "upon",
        "us",
        "very",
        "system",
        "was",
        "we",
        "well",
        "were",
        "what",
        "when",
        "where",
        "whether",
        "which",
        "while",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "within",
        "without",
        "would",
        "you",
        "your",
    ]
)
K1, B = 1.2, 0.75
SIZES = (3, 4, 5)
"""Lengths of the runs of letters; a run never crosses from one word into the next, its ends may be the spaces around a word."""
BUCKETS = 1 << 20


def tokens(text: str) -> list[str]:
    """Lower-case words of two letters and more, without the most frequent English ones."""
    return [word for word in _TOKEN.findall(text.lower()) if word not in _STOP]


def features(text: str, pairs: bool) -> Iterator[str]:
    """Words, and with ``pairs`` neighbouring two as well."""
    words = tokens(text)
    yield from words
    if pairs:
        yield from (f"{first} {second}" for first, second in itertools.pairwise(words))


class Lexicon:
    """Vocabulary and document frequencies of a corpus, learnt once; words it has not seen count for nothing.

    Args:
        corpus: Texts of both sides that may be known (training drugs and diseases).
        pairs: Count neighbouring words as features of their own as well.
    """

    def __init__(self, corpus: Sequence[str], *, pairs: bool = False) -> None:
        counts: Counter[str] = Counter()
        for text in corpus:
            counts.update(set(features(text, pairs)))
        self.pairs = pairs
        self.words = {word: column for column, word in enumerate(sorted(counts))}
        frequency = np.array([counts[word] for word in sorted(counts)], dtype=np.float64)
        self.idf = np.log((1 + len(corpus)) / (1 + frequency)) + 1
        self.bm25_idf = np.log1p((len(corpus) - frequency + 0.5) / (frequency + 0.5))

    def counts(self, texts: Sequence[str]) -> Any:
        """Word counts as a sparse matrix ``[n, words]``."""
        from scipy.sparse import csr_matrix

        rows, columns, values = [], [], []
        for row, text in enumerate(texts):
            for word, number in Counter(features(text, self.pairs)).items():
                if word in self.words:
                    rows.append(row)
                    columns.append(self.words[word])
                    values.append(float(number))
        return csr_matrix((values, (rows, columns)), shape=(len(texts), len(self.words)))

    def unit(self, texts: Sequence[str]) -> Any:
        """TF-IDF rows of unit length, sparse ``[n, words]``; a text of unknown words has a row of zeros."""
        found = self.counts(texts)
        found.data = 1 + np.log(found.data)
        return unit_rows(found.multiply(self.idf[None, :]).tocsr())

    def tfidf(self, queries: Sequence[str], documents: Sequence[str]) -> np.ndarray:
        """Cosine of the TF-IDF rows, ``[queries, documents]`` in [0, 1]."""
        found: np.ndarray = (self.unit(queries) @ self.unit(documents).T).toarray()
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


class Letters:
    """TF-IDF over runs of 3 to 5 letters within words, hashed into a million buckets so that no vocabulary has to be kept.

    Args:
        corpus: Texts from which the frequencies are learnt.
    """

    def __init__(self, corpus: Sequence[str]) -> None:
        counted = run_counts(corpus)
        frequency = np.bincount(counted.indices, minlength=BUCKETS).astype(np.float64)
        self.idf = np.log((1 + len(corpus)) / (1 + frequency)) + 1

    def unit(self, texts: Sequence[str]) -> Any:
        """Rows of unit length, sparse ``[n, buckets]``."""
        found = run_counts(texts)
        found.data = (1 + np.log(found.data)) * self.idf[found.indices]
        return unit_rows(found)


def run_counts(texts: Sequence[str]) -> Any:
    """Counts of the letter runs of each text, sparse ``[n, buckets]``."""
    from scipy.sparse import csr_matrix

    cleaned = [" " + " ".join(re.findall(r"[^\s]+", text.lower())) + " " for text in texts]
    raw = [np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8) for text in cleaned]
    whole = np.concatenate([*raw, np.zeros(0, np.uint8)]).astype(np.uint64)
    owner = np.repeat(np.arange(len(raw)), [len(part) for part in raw])
    rows, columns = [], []
    for size in SIZES:
        count = len(whole) - size + 1
        if count <= 0:
            continue
        code = np.full(count, size, dtype=np.uint64)
        inner = np.zeros(count, dtype=bool)
        for offset in range(size):
            part = whole[offset : offset + count]
            code = code * np.uint64(1099511628211) + part + np.uint64(1)
            if 0 < offset < size - 1:
                inner |= part == 32
        kept = ~inner & (owner[:count] == owner[size - 1 :])
        # the product's high bits are the mixed ones
        columns.append(((code[kept] * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(44)).astype(np.int64))
        rows.append(owner[:count][kept])
    row, column = (np.concatenate([*parts, np.zeros(0, np.int64)]) for parts in (rows, columns))
    found = csr_matrix((np.ones(len(row)), (row, column)), shape=(len(texts), BUCKETS))
    found.sum_duplicates()
    return found


def unit_rows(matrix: Any) -> Any:
    """A sparse matrix with every row scaled to length 1; rows of zeros stay."""
    norm = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    matrix.data = matrix.data / np.maximum(norm[row], 1e-12)
    return matrix
