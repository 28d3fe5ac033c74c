"""What is known of the neighbours: scores from known pairs, carried over by similarity on the drug side, the disease side or both.

With weights ``A`` of a query drug on the known drugs and ``B`` of a candidate disease on the known diseases, the score is ``A Y Bᵀ`` over the known pairs Y.
Neighbour weights give kNN; weights ``K (K + λ)⁻¹`` give kernel ridge regression, in the both-sided case the Kronecker kind.

Source: kNN over text neighbours was the strongest cheap baseline measured; van Laarhoven et al. 2011 (10.1093/bioinformatics/btr500) for the both-sided ridge.
"""

from __future__ import annotations

import numpy as np


def neighbour_weights(similarity: np.ndarray, k: int = 20, power: float = 1.0) -> np.ndarray:
    """Weights on the ``k`` most similar known rows, zero elsewhere; each row sums to 1.

    Args:
        similarity: ``[q, n]``; negative values count as 0.
        k: Neighbours kept.
        power: Above 1, near neighbours count for more.
    """
    similarity = np.maximum(similarity, 0.0).astype(np.float64)
    k = min(k, similarity.shape[1])
    kept = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
    weights = np.zeros_like(similarity)
    np.put_along_axis(weights, kept, np.take_along_axis(similarity, kept, axis=1) ** power, axis=1)
    return weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)


def ridge_weights(to_known: np.ndarray, among_known: np.ndarray, penalty: float) -> np.ndarray:
    """``K_qn (K_nn + λ I)⁻¹``: weights ``[q, n]`` that may be negative.

    Args:
        to_known: Kernel of queries with known rows ``[q, n]``.
        among_known: Kernel of the known rows ``[n, n]``, symmetric.
        penalty: λ above 0; the larger, the smoother.
    """
    known = among_known.astype(np.float64) + penalty * np.eye(len(among_known))
    found: np.ndarray = np.linalg.solve(known, to_known.T.astype(np.float64)).T
    return found


def sharpen(cosine: np.ndarray, sharpness: float) -> np.ndarray:
    """``exp(s (cos − 1))``: a Gaussian kernel on the sphere, positive definite, 1 for the same text."""
    found: np.ndarray = np.exp(sharpness * (cosine.astype(np.float64) - 1.0))
    return found


def identity_weights(rows: np.ndarray, n: int) -> np.ndarray:
    """Weight 1 on a query's own known row; a row of zeros where it has none (−1)."""
    weights = np.zeros((len(rows), n))
    known = np.flatnonzero(rows >= 0)
    weights[known, rows[known]] = 1.0
    return weights


def ancestor_similarity(a: list[frozenset[str]], b: list[frozenset[str]]) -> np.ndarray:
    """Shared share of the ontology's ancestors (Jaccard) ``[a, b]``; 0 for a disease that has none."""
    terms = {term: column for column, term in enumerate(sorted(frozenset().union(*a, *b)))}
    tables = []
    for part in (a, b):
        table = np.zeros((len(part), max(1, len(terms))), dtype=np.float32)
        for row, found in enumerate(part):
            table[row, [terms[term] for term in found]] = 1.0
        tables.append(table)
    first, second = tables
    shared = first @ second.T
    return shared / np.maximum(first.sum(1)[:, None] + second.sum(1)[None, :] - shared, 1.0)
