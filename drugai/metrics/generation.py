"""Metrics of generated sets: those of MOSES and GuacaMol, and the area under the curve of PMO. Arrays and counters in, numbers out.

Source: MOSES, Polykovskiy et al. 2020, 10.3389/fphar.2020.565644; GuacaMol, Brown et al. 2019, 10.1021/acs.jcim.8b00839; PMO, Gao et al. 2022, arXiv:2206.12411.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np


def moments(activations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean ``[d]`` and covariance ``[d, d]`` (n − 1 below) of activations ``[n, d]``; NaN for fewer than two rows."""
    if len(activations) < 2:
        d = activations.shape[1]
        return np.full(d, np.nan), np.full((d, d), np.nan)
    values = activations.astype(np.float64)
    return values.mean(0), np.cov(values, rowvar=False)


def frechet_distance(mu_a: np.ndarray, sigma_a: np.ndarray, mu_b: np.ndarray, sigma_b: np.ndarray) -> float:
    """Squared Fréchet distance of two normal distributions, |μ_a − μ_b|² + tr(Σ_a + Σ_b − 2 (Σ_a Σ_b)^½).

    The last trace is the sum of the square roots of the eigenvalues of Σ_a^½ Σ_b Σ_a^½, which is symmetric: real by construction, where a matrix root of the product is complex
    by rounding. NaN where a moment is.

    Source: Dowson and Landau 1982, 10.1016/0047-259X(82)90077-X; for ChemNet Preuer et al. 2018, 10.1021/acs.jcim.8b00234.
    """
    if not (np.isfinite(mu_a).all() and np.isfinite(mu_b).all() and np.isfinite(sigma_a).all() and np.isfinite(sigma_b).all()):
        return math.nan
    values, vectors = np.linalg.eigh(sigma_a)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    product = np.linalg.eigvalsh(root @ sigma_b @ root)
    shared = np.sqrt(np.clip(product, 0, None)).sum()
    return float(((mu_a - mu_b) ** 2).sum() + np.trace(sigma_a) + np.trace(sigma_b) - 2 * shared)


def cosine_of_counts(a: Mapping[str, int], b: Mapping[str, int]) -> float:
    """Cosine of two counters (MOSES Frag and Scaf); NaN if either is empty."""
    if not a or not b:
        return math.nan
    dot = sum(count * b.get(key, 0) for key, count in a.items())
    return float(dot / math.sqrt(sum(count**2 for count in a.values()) * sum(count**2 for count in b.values())))


def validity(valid: np.ndarray) -> float:
    """Share of True; NaN for no molecules. The empty string is no molecule here, while MOSES counts it as a valid one."""
    return float(np.mean(valid)) if len(valid) else math.nan


def uniqueness(canonical: Sequence[str], first: int | None = None) -> float:
    """Share of different molecules among the first ``first`` (all if None) canonical SMILES of valid molecules; NaN where there are fewer than ``first``."""
    if not canonical or (first is not None and len(canonical) < first):
        return math.nan
    part = canonical[:first]
    return len(set(part)) / len(part)


def novelty(canonical: Collection[str], known: Collection[str]) -> float:
    """Share of the different molecules that are not among ``known`` (best a set); NaN for no molecules."""
    different = set(canonical)
    return sum(smi not in known for smi in different) / len(different) if different else math.nan


def internal_diversity(mean_similarity: np.ndarray, power: int = 1) -> float:
    """1 − mean over i of (mean over j of T(i, j)^p)^(1/p), from the ``[n]`` inner means.

    This is what the code of MOSES computes: the root is taken for each molecule, and a molecule's similarity to itself is counted.
    """
    return float(1 - np.mean(mean_similarity ** (1 / power))) if len(mean_similarity) else math.nan


def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """First Wasserstein distance of two samples in their own unit, the area between their distribution functions; NaN if either is empty. NaN values are left out."""
    a, b = np.sort(a[~np.isnan(a)]), np.sort(b[~np.isnan(b)])
    if not len(a) or not len(b):
        return math.nan
    every = np.sort(np.concatenate([a, b]))
    below_a = np.searchsorted(a, every[:-1], side="right") / len(a)
    below_b = np.searchsorted(b, every[:-1], side="right") / len(b)
    return float(np.sum(np.abs(below_a - below_b) * np.diff(every)))


def guacamol_fcd(distance: float) -> float:
    """GuacaMol's score of a Fréchet ChemNet distance, exp(−0.2 FCD)."""
    return math.exp(-0.2 * distance)


def divergence(reference: np.ndarray, sampled: np.ndarray, *, whole_numbers: bool) -> float:
    """Kullback-Leibler divergence of a descriptor's distribution [nat], as GuacaMol estimates it.

    Args:
        reference: ``[n]`` values of the reference molecules.
        sampled: ``[m]`` values of the generated ones.
        whole_numbers: A count (ten bins of the reference) or a real number (Gaussian kernel density at 1,000 points).

    Returns:
        The divergence; infinite where no sampled count lies in the range of the reference, NaN where a density cannot be estimated (fewer than two values, or all the same).
    """
    if len(reference) < 2 or len(sampled) < 2:
        return math.nan
    if whole_numbers:
        p, edges = np.histogram(reference, bins=10, density=True)
        if not ((sampled >= edges[0]) & (sampled <= edges[-1])).any():
            return math.inf
        q, _ = np.histogram(sampled, bins=edges, density=True)
    else:
        if np.ptp(reference) == 0 or np.ptp(sampled) == 0:
            return math.nan
        from scipy.stats import gaussian_kde

        both = np.hstack([reference, sampled])
        points = np.linspace(both.min(), both.max(), 1000)
        p, q = gaussian_kde(reference)(points), gaussian_kde(sampled)(points)
    p, q = p + 1e-10, q + 1e-10
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum(p * np.log(p / q)))


def guacamol_kl(divergences: Sequence[float]) -> float:
    """GuacaMol's distribution score, the mean of exp(−D) over its descriptors; one that is NaN makes it NaN."""
    return float(np.mean(np.exp(-np.asarray(divergences)))) if len(divergences) else math.nan


def auc_top(scores: Sequence[float] | np.ndarray, *, top: int = 10, budget: int = 10_000, every: int = 100) -> float:
    """PMO's area under the curve: the mean of the best ``top`` scores so far against oracle calls, over the budget.

    Args:
        scores: Scores of different molecules in the order in which the oracle was called; calls beyond the budget do not count.
        top: How many best molecules are averaged.
        budget: Oracle calls that the area is divided by. A run that stopped earlier keeps its last value.
        every: Calls between two points of the trapezoid rule.

    Returns:
        A number in [0, 1] if the scores are; 0 for no calls.
    """
    values = np.asarray(scores, dtype=np.float64)[:budget]
    n = len(values)
    if n == 0:
        return 0.0
    area, before, called = 0.0, 0.0, 0
    for calls in range(every, n, every):
        now = _mean_best(values[:calls], top)
        area += every * (now + before) / 2
        before, called = now, calls
    last = _mean_best(values, top)
    area += (n - called) * (last + before) / 2 + (budget - n) * last
    return float(area / budget)


def _mean_best(values: np.ndarray, top: int) -> float:
    return float(np.sort(values)[-top:].mean())
