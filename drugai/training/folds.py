"""Cross-validation as a closure for tuning: folds of the training and validation rows, no test row among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from drugai.contracts import Dataset, Split
from drugai.errors import ConfigError
from drugai.metrics.property import direction
from drugai.runtime import derive_seed, generator
from drugai.training.evaluation import PRIMARY, ValidationScore


@dataclass(frozen=True, eq=False)
class FoldScore:
    """Config → mean score over folds, each of which is the validation part once.

    ``on_fold`` sees each fold's score as it comes, so that a study with the Wilcoxon pruner ends a config that is worse than the best on the folds seen so far.

    Attributes:
        folds: A validation score a fold.
        metric: What is measured.
        direction: ``min`` or ``max``.
    """

    folds: tuple[ValidationScore, ...]
    metric: str
    direction: str

    def __call__(self, config: Any, *, seed: int = 0, on_fold: Callable[[int, float], None] | None = None) -> float:
        """Fit and score fold after fold."""
        scores = []
        for number, fold in enumerate(self.folds):
            scores.append(fold(config, seed=derive_seed(seed, "fold", number) % 2**31))
            if on_fold is not None:
                on_fold(number, scores[-1])
        return float(np.mean(scores))

    def fixed(self, config: Any) -> dict[str, Any]:
        """Fields of ``config`` that change nothing on these tasks, with their values."""
        return self.folds[0].fixed(config)


def fold_score(data: Dataset, split: Split, *, folds: int = 5, metric: str | None = None, seed: int = 0) -> FoldScore:
    """The closure over k folds of the training and validation rows. Rows of one scaffold stay in one fold if the split was made by scaffold.

    Args:
        data: The whole data set; its test rows are not kept.
        split: Parts; train and validation are put together and cut anew.
        folds: k, at least 2. The Wilcoxon pruner needs 4 or more before it can tell two configs apart (p < 0.1).
        metric: By default RMSE for regression, ROC-AUC for binary and balanced accuracy for multiclass tasks.
        seed: Of the cut.

    Raises:
        ConfigError: Fewer than two folds.
    """
    if folds < 2:
        raise ConfigError(f"cross-validation needs at least 2 folds, got {folds}")
    rows = np.sort(np.concatenate([split.train, split.valid]))
    groups = _groups(data, rows, split.method)
    # the largest groups first into the fold that is smallest so far; ties and single molecules by the seed
    order = generator(seed, "folds").permutation(groups.max() + 1)
    sizes = np.bincount(groups)
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(folds, dtype=np.int64)
    fold_of = np.empty(len(sizes), dtype=np.int64)
    for group in order:
        fold_of[group] = int(np.argmin(filled))
        filled[fold_of[group]] += sizes[group]
    chosen = metric or PRIMARY[data.tasks[0].kind]
    parts = []
    for number in range(folds):
        held = fold_of[groups] == number
        train, valid = (replace(data.take(rows[kept]), name=f"{data.name} fold {number}") for kept in (~held, held))
        parts.append(ValidationScore(train, valid, chosen, direction(chosen)))
    return FoldScore(tuple(parts), chosen, direction(chosen))


def _groups(data: Dataset, rows: np.ndarray, method: str) -> np.ndarray:
    """``[n]`` group numbers: scaffolds, or one a canonical molecule, so that repeats do not straddle folds."""
    from drugai.molecules import MoleculeBatch
    from drugai.molecules.scaffolds import scaffold_smiles

    batch = MoleculeBatch([data.smiles[row] for row in rows])
    keys = scaffold_smiles(batch) if method == "scaffold" else batch.canonical
    # a row that cannot be read is a group of its own; the fit leaves it out and counts it
    names = [f"{row}" if not ok else key for row, key, ok in zip(rows, keys, batch.valid, strict=True)]
    return np.unique(names, return_inverse=True)[1]
