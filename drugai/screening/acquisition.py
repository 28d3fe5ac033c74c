"""Which molecules to measure next: a value for each, from what a model expects and how sure it is, and a pick under a budget.

Source: Jones et al., J. Global Optim. 1998, 13, 455 (expected improvement, 10.1023/A:1008306431147); Srinivas et al., arXiv:0912.3995 (upper confidence
bound); Thompson, Biometrika 1933, 25, 285 (10.2307/2332286); for molecules Graff et al., Chem. Sci. 2021, 12, 7866 (10.1039/D0SC06805E).
"""

from __future__ import annotations

import numpy as np

from drugai.errors import ConfigError, unknown
from drugai.molecules import tanimoto
from drugai.runtime import generator

STRATEGIES = ("greedy", "ucb", "ei", "thompson", "random")
NEED_SPREAD = ("ucb", "ei", "thompson")


def acquire(strategy: str, mean: np.ndarray, std: np.ndarray | None = None, *, best: float | None = None, beta: float = 1.0, seed: int = 0) -> np.ndarray:
    """How much is to be gained by measuring each molecule.

    Args:
        strategy: ``greedy`` (the mean), ``ucb`` (mean + beta · std), ``ei`` (the improvement over ``best`` that a normal of that mean and std gives on the average),
            ``thompson`` (one draw of that normal for each molecule), ``random``.
        mean: ``[n]`` predictions, more is better; NaN for a molecule that could not be predicted.
        std: ``[n]`` spread, for all but greedy and random.
        best: Best value measured so far, for ``ei``.
        beta: Weight of the spread in ``ucb``.
        seed: Of ``thompson`` and ``random``.

    Returns:
        ``[n]`` float64, more is better; −inf where the mean is NaN.

    Raises:
        ConfigError: The strategy is unknown or lacks what it needs.
    """
    if strategy not in STRATEGIES:
        raise unknown("strategy", strategy, STRATEGIES)
    mean = np.asarray(mean, dtype=np.float64)
    if strategy in NEED_SPREAD and std is None:
        raise ConfigError(f"strategy {strategy!r} needs a spread, and the model gives none; train it with two members or more, or take greedy")
    spread = np.zeros_like(mean) if std is None else np.nan_to_num(np.asarray(std, dtype=np.float64))
    if strategy == "greedy":
        found = mean.copy()
    elif strategy == "ucb":
        found = mean + beta * spread
    elif strategy == "ei":
        if best is None:
            raise ConfigError("strategy 'ei' needs the best value measured so far; give best=")
        found = expected_improvement(mean, spread, best)
    elif strategy == "thompson":
        found = mean + spread * generator(seed, "thompson").standard_normal(len(mean))
    else:
        found = generator(seed, "random").random(len(mean))
    return np.where(np.isnan(mean), -np.inf, found)


def expected_improvement(mean: np.ndarray, std: np.ndarray, best: float) -> np.ndarray:
    """``E[max(y − best, 0)]`` of y normal with ``mean`` and ``std`` ``[n]``: ``(mean − best) Φ(z) + std φ(z)`` with ``z = (mean − best) / std``."""
    from scipy.special import ndtr

    gain = mean - best
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(std > 0, gain / std, 0.0)
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return np.where(std > 0, gain * ndtr(z) + std * density, np.maximum(gain, 0.0))


def pick(
    values: np.ndarray,
    n: int,
    *,
    bits: np.ndarray | None = None,
    most_similar: float = 1.0,
    costs: np.ndarray | None = None,
    budget: float | None = None,
) -> np.ndarray:
    """Rows to measure, best value first: each fits what is left of the budget and is no more than ``most_similar`` to those before it.

    Args:
        values: ``[m]`` from :func:`acquire`; rows of −inf are never taken. Among equals the lower row comes first.
        n: Most rows to take.
        bits: ``[m, d]`` fingerprints; needed where ``most_similar`` is below 1.
        most_similar: Largest Tanimoto similarity between two picks.
        costs: ``[m]`` cost of measuring each, not negative; 1 each if not given.
        budget: What all picks together may cost; without one only ``n`` counts.

    Returns:
        At most ``n`` row numbers, in the order of picking; fewer where the budget or the similarity allows no more.
    """
    if n < 0 or not 0 < most_similar <= 1:
        raise ConfigError(f"n={n} and most_similar={most_similar}: need n >= 0 and 0 < most_similar <= 1")
    if most_similar < 1 and bits is None:
        raise ConfigError("most_similar below 1 needs fingerprints")
    if costs is not None and (np.isnan(costs).any() or (np.asarray(costs) < 0).any()):
        raise ConfigError("a cost is missing or negative; give every molecule of the library a cost of 0 or more")
    price = np.ones(len(values)) if costs is None else np.asarray(costs, dtype=np.float64)
    left = np.inf if budget is None else float(budget)
    taken: list[int] = []
    nearest = np.zeros(len(values), dtype=np.float32)  # similarity of every row to the closest pick so far
    for row in np.lexsort((np.arange(len(values)), -values)):
        if len(taken) == n or values[row] == -np.inf:
            break
        if price[row] > left or nearest[row] > most_similar:
            continue
        taken.append(int(row))
        left -= price[row]
        if most_similar < 1 and bits is not None:
            np.maximum(nearest, tanimoto(bits[row : row + 1], bits)[0], out=nearest)
    return np.array(taken, dtype=np.int64)
