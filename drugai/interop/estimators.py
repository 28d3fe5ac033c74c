"""scikit-learn's face: predictors as estimators, for its pipelines, searches and cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from drugai.contracts import Dataset, Predictions, Task
from drugai.data import split as divide
from drugai.errors import DatasetError
from drugai.training.fit import fit_on, model_config


class _MoleculeEstimator(BaseEstimator):  # type: ignore[misc]
    """What both estimators share.

    Args:
        model: Name of a model: trees, gp, gnn, ensemble, auto …
        settings: Fields of its Config to set (nested ones as ``net.depth``).
        valid: Share of the molecules held out inside ``fit`` to end training and weigh members.
        split: How they are held out: random, scaffold or butina.
        seed: Of the hold-out and the training.
    """

    def __init__(self, model: str = "trees", settings: Mapping[str, Any] | None = None, valid: float = 0.1, split: str = "random", seed: int = 0) -> None:
        self.model = model
        self.settings = settings
        self.valid = valid
        self.split = split
        self.seed = seed

    def _fit(self, molecules: Sequence[str], y: np.ndarray, task: Task, weights: Sequence[float] | None) -> None:
        smiles = tuple(str(smi) for smi in molecules)
        if len(smiles) != len(y):
            raise DatasetError(f"{len(smiles)} molecules and {len(y)} values; one value a molecule is needed")
        data = Dataset("estimator", smiles, np.asarray(y, dtype=np.float32).reshape(-1, 1), (task,), weights=None if weights is None else np.asarray(weights, dtype=np.float32))
        parts = divide(data, method=self.split, fractions=(1 - 2 * self.valid, self.valid, self.valid), seed=self.seed)
        rest = np.sort(np.concatenate([parts.train, parts.test]))  # scikit-learn keeps its own test rows away from fit: ours are trained on
        self.predictor_ = fit_on(model_config(self.model, self.settings), data.take(rest), data.take(parts.valid), seed=self.seed)
        self.n_features_in_ = 1

    def predictions(self, molecules: Sequence[str]) -> Predictions:
        """All that the predictor says of n molecules, reasons included."""
        found: Predictions = self.predictor_.predict([str(smi) for smi in molecules])
        return found


class MoleculeRegressor(RegressorMixin, _MoleculeEstimator):  # type: ignore[misc]
    """SMILES → a number. ``predict`` gives NaN where a molecule cannot be read; :meth:`predictions` says why.

    Example:
        >>> from sklearn.model_selection import cross_val_score               # doctest: +SKIP
        >>> cross_val_score(MoleculeRegressor("trees"), smiles, y, cv=5)      # doctest: +SKIP
    """

    def fit(self, X: Sequence[str], y: Sequence[float], sample_weight: Sequence[float] | None = None) -> MoleculeRegressor:
        """Fit on n SMILES and n values."""
        self._fit(X, np.asarray(y), Task("y", "regression"), sample_weight)
        return self

    def predict(self, X: Sequence[str]) -> np.ndarray:
        """``[n]`` values."""
        return self.predictions(X).mean[:, 0]


class MoleculeClassifier(ClassifierMixin, _MoleculeEstimator):  # type: ignore[misc]
    """SMILES → one of two classes, of any labels."""

    def fit(self, X: Sequence[str], y: Sequence[Any], sample_weight: Sequence[float] | None = None) -> MoleculeClassifier:
        """Fit on n SMILES and n labels of two kinds."""
        self.classes_, which = np.unique(np.asarray(y), return_inverse=True)
        if len(self.classes_) != 2:
            raise DatasetError(f"MoleculeClassifier needs two classes, got {len(self.classes_)}: {', '.join(map(str, self.classes_[:5]))}")
        self._fit(X, which, Task("y", "binary"), sample_weight)
        return self

    def predict_proba(self, X: Sequence[str]) -> np.ndarray:
        """``[n, 2]`` probabilities in the order of ``classes_``; NaN where a molecule cannot be read."""
        one = self.predictions(X).mean[:, 0]
        return np.stack([1 - one, one], axis=1)

    def predict(self, X: Sequence[str]) -> np.ndarray:
        """``[n]`` labels.

        Raises:
            DatasetError: A molecule cannot be read: a label has no NaN. ``predict_proba`` keeps such rows.
        """
        found = self.predictions(X)
        bad = [row for row, text in enumerate(found.reasons) if text]
        if bad:
            shown = "; ".join(f"row {row}: {found.reasons[row]}" for row in bad[:10])
            raise DatasetError(f"{len(bad)} molecules cannot be classified ({shown}); leave them out or use predict_proba, which keeps their rows")
        return np.asarray(self.classes_[(found.mean[:, 0] >= 0.5).astype(int)])


__all__ = ["MoleculeClassifier", "MoleculeRegressor"]
