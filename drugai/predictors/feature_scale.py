"""Center and scale of whole-molecule features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class FeatureScale:
    """Center, scale and fill of whole-molecule features, from the training part: ``(x − center) ÷ scale`` clipped to ±5, NaN → 0."""

    center: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, matrix: np.ndarray) -> FeatureScale:
        """From features ``[n, k]`` of the training part; a constant feature gets scale 1."""
        with np.errstate(all="ignore"):
            known = np.where(np.isnan(matrix), 0.0, matrix).astype(np.float64)
            counts = np.maximum((~np.isnan(matrix)).sum(0), 1)
            center = known.sum(0) / counts
            scale = np.sqrt(np.where(np.isnan(matrix), 0.0, (known - center) ** 2).sum(0) / counts)
        return cls(center.astype(np.float32), np.where(scale > 1e-6, scale, 1.0).astype(np.float32))

    def __call__(self, matrix: np.ndarray) -> np.ndarray:
        """``[n, k]`` scaled features."""
        return np.nan_to_num(np.clip((matrix - self.center) / self.scale, -5.0, 5.0)).astype(np.float32)
