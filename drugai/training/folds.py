"""Cross-validation as a closure for tuning: folds of the training and validation rows, no test row among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from drugai.contracts import Dataset, Split
from drugai.data.grouping import by_molecule, by_scaffold
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

    @property
    def unit(self) -> str:
        """Of the score, ``""`` where it has none."""
        return self.folds[0].unit

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
    chosen = metric or PRIMARY[data.tasks[0].kind]
    parts = []
    for number, valid in enumerate(cut_rows(data, rows, split.method, folds, seed)):
        train, held_out = (replace(data.take(part), name=f"{data.name} fold {number}") for part in (np.setdiff1d(rows, valid), valid))
        parts.append(ValidationScore(train, held_out, chosen, direction(chosen)))
    return FoldScore(tuple(parts), chosen, direction(chosen))


def cut_rows(data: Dataset, rows: np.ndarray, method: str, folds: int, seed: int) -> list[np.ndarray]:
    """``rows`` in k folds of like size; rows of one scaffold (``scaffold``) or of one molecule (any other method) stay together.

    Raises:
        ConfigError: There are too few groups for so many folds.
    """
    groups = by_scaffold(data, rows) if method == "scaffold" else by_molecule(data, rows)
    # the largest groups first, each into the fold that is smallest so far; groups of one size in an order of the seed
    order = generator(seed, "folds").permutation(len(groups))
    held: list[list[np.ndarray]] = [[] for _ in range(folds)]
    for place in sorted(order.tolist(), key=lambda place: -len(groups[place])):
        min(held, key=lambda fold: sum(map(len, fold))).append(groups[place])
    if not all(held):
        raise ConfigError(f"{data.name}: {len(groups)} groups of {method} cannot fill {folds} folds; take fewer folds or split at random")
    return [np.sort(np.concatenate(members)) for members in held]
