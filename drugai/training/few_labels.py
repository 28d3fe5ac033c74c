"""With 16, 32 or 64 labels: heads that learn from a handful of molecules on fixed features, and how well each does over many draws.

A pre-trained encoder's embeddings, fingerprints and descriptors are features alike. What a head is told of a data set is the features of the labelled molecules and their values;
features are scaled by the unlabelled pool, which a chemist has before anything is measured.

Source: Snell et al., Prototypical networks, 2017 (arXiv:1703.05175); Stanley et al., FS-Mol, NeurIPS 2021 (data sets track) for the evaluation by draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from drugai.errors import ConfigError, DatasetError
from drugai.metrics.property import roc_auc, spearman
from drugai.runtime import derive_seed, generator

Head = Callable[[np.ndarray, np.ndarray, np.ndarray, bool, int], np.ndarray]
"""(labelled features ``[k, d]``, values ``[k]``, features asked for ``[n, d]``, whether classes, seed) → ``[n]`` values, or for classes any score that rises with class 1."""

_RIDGE = np.logspace(-2, 3, 11)
_NOISE = (0.01, 0.03, 0.1, 0.3, 1.0)
_REACH = (0.5, 1.0, 2.0, 4.0)
LEAST_OF_CLASS = 2


def prototype(known: np.ndarray, y: np.ndarray, asked: np.ndarray, classes: bool, seed: int) -> np.ndarray:
    """Cosine similarity to the mean of class 1 less that to the mean of class 0; for values, to the mean weighted by how far each lies above the mean less that of those below."""
    pull = np.where(y > 0.5, 1.0, 0.0) if classes else np.maximum(y - y.mean(), 0)
    push = 1 - pull if classes else np.maximum(y.mean() - y, 0)
    score = np.zeros(len(asked))
    for weight, sign in ((pull, 1.0), (push, -1.0)):
        mean = weight @ known / max(float(weight.sum()), 1e-12)
        score += sign * (asked @ mean) / np.maximum(np.linalg.norm(asked, axis=1) * np.linalg.norm(mean), 1e-12)
    return score


def ridge(known: np.ndarray, y: np.ndarray, asked: np.ndarray, classes: bool, seed: int) -> np.ndarray:
    """Ridge regression (classes as −1 and 1) with the penalty of least leave-one-out error among eleven."""
    target = np.where(y > 0.5, 1.0, -1.0) if classes else y.astype(np.float64)
    center, level = known.mean(0), float(target.mean())
    x = known - center
    values, vectors = np.linalg.eigh(x @ x.T)
    values = np.maximum(values, 0)
    turned = vectors.T @ (target - level)
    best, alpha = np.inf, np.zeros(len(y))
    for penalty in _RIDGE * max(float(values.mean()), 1e-9):
        weights = 1 / (values + penalty)
        found = vectors @ (weights * turned)
        error = float(np.mean((found / np.maximum((vectors**2) @ weights, 1e-12)) ** 2))  # leave-one-out residual: α_i ÷ (K + λ)⁻¹_ii
        if error < best:
            best, alpha = error, found
    result: np.ndarray = (asked - center) @ (x.T @ alpha) + level
    return result


def gaussian_process(known: np.ndarray, y: np.ndarray, asked: np.ndarray, classes: bool, seed: int) -> np.ndarray:
    """Gaussian process with a squared exponential kernel; reach and noise by the marginal likelihood on a grid (classes as −1 and 1)."""
    between = _squared(known, known)
    scale = float(np.median(between[np.triu_indices(len(known), 1)])) or 1.0
    options = [(np.exp(-between / (2 * reach**2 * scale)), reach) for reach in _REACH]
    kernel, reach, alpha, level, spread = _likeliest(options, y, classes)
    return np.asarray(np.exp(-_squared(asked, known) / (2 * reach**2 * scale)) @ alpha * spread + level)


def tanimoto_process(known: np.ndarray, y: np.ndarray, asked: np.ndarray, classes: bool, seed: int) -> np.ndarray:
    """Gaussian process with the Tanimoto (MinMax) kernel of counts; noise by the marginal likelihood on a grid (classes as −1 and 1)."""
    _, _, alpha, level, spread = _likeliest([(minmax(known, known), 1.0)], y, classes)
    return np.asarray(minmax(asked, known) @ alpha * spread + level)


def forest(known: np.ndarray, y: np.ndarray, asked: np.ndarray, classes: bool, seed: int) -> np.ndarray:
    """Random forest of 200 trees."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    if classes:
        model = RandomForestClassifier(200, random_state=seed % 2**31, n_jobs=1).fit(known, y > 0.5)
        return np.asarray(model.predict_proba(asked)[:, 1])
    return np.asarray(RandomForestRegressor(200, max_features=1 / 3, random_state=seed % 2**31, n_jobs=1).fit(known, y).predict(asked))


HEADS: dict[str, Head] = {"prototype": prototype, "ridge": ridge, "gp": gaussian_process, "tanimoto gp": tanimoto_process, "forest": forest}


@dataclass(frozen=True)
class FewLabels:
    """Scores of one pair of features and head.

    Attributes:
        features, head: Their names.
        shots: Labels.
        scores: One a draw: ROC-AUC of classes, Spearman correlation of values, on the same test molecules.
    """

    features: str
    head: str
    shots: int
    scores: tuple[float, ...]


def few_label_scores(
    features: Mapping[str, np.ndarray], y: np.ndarray, pool: np.ndarray, test: np.ndarray, pairs: Sequence[tuple[str, str]], *, classes: bool, shots: Sequence[int] = (16, 32, 64),
    draws: int = 10, seed: int = 0,
) -> list[FewLabels]:  # fmt: skip
    """Fit each pair of features and head on the same draws of labelled molecules and score it on the same test molecules.

    Args:
        features: Name → ``[n, d]``; a name that ends in ``counts`` is not scaled (for the Tanimoto kernel and forests).
        y: ``[n]`` values or classes 0 and 1.
        pool: Rows from which the labelled molecules are drawn.
        test: Rows to be predicted.
        pairs: (features, head) by name.
        classes: Whether y holds classes; a draw then has at least two molecules of each.
        shots: Numbers of labels.
        draws: Draws of each number; a draw of 16 is the beginning of that of 32.
        seed: Of the draws.

    Raises:
        ConfigError: A name that is not there.
        DatasetError: The pool is smaller than the largest number of labels, or has fewer than two molecules of a class.
    """
    for name, head in pairs:
        if name not in features or head not in HEADS:
            raise ConfigError(f"pair ({name!r}, {head!r}): the features are {', '.join(features)}; the heads are {', '.join(HEADS)}")
    if len(pool) < max(shots):
        raise DatasetError(f"{len(pool)} molecules to draw from, {max(shots)} labels asked for")
    if classes and min(int((y[pool] > 0.5).sum()), int((y[pool] <= 0.5).sum())) < LEAST_OF_CLASS:
        raise DatasetError(f"fewer than {LEAST_OF_CLASS} molecules of a class to draw from")
    scaled = {name: x.astype(np.float64) if name.endswith("counts") else _scaled(x, pool) for name, x in features.items()}
    scores: dict[tuple[str, str, int], list[float]] = {}
    for draw in range(draws):
        order = draw_rows(y, pool, min(shots), classes, derive_seed(seed, "draw", draw))
        for count in shots:
            rows = order[:count]
            for name, head in pairs:
                x = scaled[name]
                found = HEADS[head](x[rows], y[rows], x[test], classes, derive_seed(seed, "head", draw))
                scores.setdefault((name, head, count), []).append(roc_auc(y[test], found) if classes else spearman(y[test], found))
    return [FewLabels(name, head, count, tuple(values)) for (name, head, count), values in scores.items()]


def draw_rows(y: np.ndarray, pool: np.ndarray, least: int, classes: bool, seed: int) -> np.ndarray:
    """The pool in random order; of classes, the first ``least`` rows hold at least two of each."""
    order = pool[generator(seed, "rows").permutation(len(pool))]
    if not classes:
        return order
    positive = y[order] > 0.5
    needed = np.concatenate([np.flatnonzero(positive)[:LEAST_OF_CLASS], np.flatnonzero(~positive)[:LEAST_OF_CLASS]])
    late = needed[needed >= least - len(needed)]
    rest = np.setdiff1d(np.arange(len(order)), late)
    head = rest[: least - len(late)]
    return np.asarray(order[np.concatenate([head, late, rest[least - len(late) :]])])


def minmax(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """``[n, m]`` sum of minima ÷ sum of maxima of counts; 1 for two empty rows."""
    least = np.stack([np.minimum(first, row).sum(1) for row in second], axis=1)
    most = first.sum(1)[:, None] + second.sum(1)[None] - least
    return np.asarray(np.where(most > 0, least / np.maximum(most, 1e-12), 1.0))


def _scaled(x: np.ndarray, pool: np.ndarray) -> np.ndarray:
    center, spread = np.nanmean(x[pool], axis=0), np.nanstd(x[pool], axis=0)
    spread = np.where(spread > 1e-6, spread, 1.0)
    return np.asarray(np.clip(np.nan_to_num((x - center) / spread), -5, 5), dtype=np.float64)


def _squared(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum((first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * first @ second.T, 0))


def _likeliest(options: Sequence[tuple[np.ndarray, float]], y: np.ndarray, classes: bool) -> tuple[np.ndarray, float, np.ndarray, float, float]:
    """The kernel, its reach, the weights, mean and spread of the greatest marginal likelihood; variance in closed form (the values are standardized by it)."""
    target = np.where(y > 0.5, 1.0, -1.0) if classes else y.astype(np.float64)
    level, spread = float(target.mean()), float(target.std()) or 1.0
    z, n = (target - level) / spread, len(y)
    best, kept = -np.inf, (options[0][0], options[0][1], np.zeros(n))
    for kernel, reach in options:
        for noise in _NOISE:
            factor = cho_factor(kernel + (noise + 1e-8) * np.eye(n), lower=True)
            alpha = cho_solve(factor, z)
            value = -0.5 * n * np.log(max(float(z @ alpha) / n, 1e-12)) - float(np.log(np.diag(factor[0])).sum())
            if value > best:
                best, kept = value, (kernel, reach, alpha)
    return *kept, level, spread
