"""Two objectives at once: how good a predictor is, and what it costs in time or in bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from drugai.errors import unknown
from drugai.molecules import MoleculeBatch
from drugai.predictors.base import TrainedPredictor
from drugai.training.evaluation import ValidationScore

COSTS = ("latency", "size")


@dataclass(frozen=True, eq=False)
class CostScore:
    """Config → (validation score, cost). A study over it has a Pareto front, from which the user's weights choose.

    Attributes:
        accuracy: The validation score.
        cost: ``latency``: CPU microseconds a molecule, the fastest of three passes over the validation molecules from their strings; ``size``: bytes of the saved
            model.
    """

    accuracy: ValidationScore
    cost: str

    @property
    def direction(self) -> tuple[str, str]:
        """The score's own, and less cost."""
        return self.accuracy.direction, "min"

    @property
    def metric(self) -> str:
        """What the two numbers are."""
        return f"{self.accuracy.metric}, {'latency [µs a molecule]' if self.cost == 'latency' else 'size [bytes]'}"

    def __call__(
        self,
        config: Any,
        *,
        seed: int = 0,
        on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
        on_model: Callable[[TrainedPredictor], None] | None = None,
    ) -> tuple[float, float]:
        """Fit, score, and measure."""
        predictor = self.accuracy.fit(config, seed=seed, on_epoch=on_epoch)
        if on_model is not None:
            on_model(predictor)
        cost = self._latency(predictor) if self.cost == "latency" else float(model_bytes(predictor))
        return self.accuracy.score(predictor), cost

    def fixed(self, config: Any) -> dict[str, Any]:
        """Fields of ``config`` that change nothing on these tasks."""
        return self.accuracy.fixed(config)

    def _latency(self, predictor: TrainedPredictor) -> float:
        smiles = self.accuracy.valid.smiles
        found = []
        for _ in range(3):
            began = time.process_time()
            predictor.predict(MoleculeBatch(smiles))
            found.append(time.process_time() - began)
        return 1e6 * min(found) / len(smiles)


def cost_score(accuracy: ValidationScore, cost: str = "latency") -> CostScore:
    """The closure of two objectives.

    Raises:
        ConfigError: A cost that is neither ``latency`` nor ``size``.
    """
    if cost not in COSTS:
        raise unknown("cost", cost, COSTS)
    return CostScore(accuracy, cost)


def model_bytes(predictor: TrainedPredictor) -> int:
    """Bytes of a predictor's tensors and texts as they are saved, without the manifest."""
    packed = predictor.pack()
    tensors = sum(int(value.nbytes) for group in packed.arrays.values() for value in group.values())
    return tensors + sum(len(text.encode()) for text in packed.texts.values())
