"""The closure that tuning maximizes: a LinkerConfig → how well its fusion ranks on inner folds. It holds no test row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from drugai.errors import unknown
from drugai.linking.encoding import encode_diseases, encode_drugs
from drugai.linking.fitting import PRIOR, LinkerConfig, score_view, train_on_view
from drugai.linking.fusion import fuse, mean_objective
from drugai.linking.protocol import REGIMES, Benchmark
from drugai.linking.views import Diseases, Drugs
from drugai.models.text import TextEncoder


@dataclass(frozen=True, eq=False)
class LinkScore:
    """Config → mean of (MRR + AP) ÷ 2 over the validation views of the regimes, with the calling convention of ``training.evaluation.ValidationScore``.

    Attributes:
        direction: ``max``.
        metric: What the number is.
    """

    benchmark: Benchmark
    regimes: tuple[str, ...]
    split_seed: int
    encoder: TextEncoder
    direction: str = "max"
    metric: str = "(MRR + AP) / 2"
    _encoded: dict[str, tuple[Drugs, Diseases]] = field(default_factory=dict)

    def __call__(self, config: Any, *, seed: int = 0, on_epoch: Callable[[int, Mapping[str, float]], None] | None = None) -> float:
        """Train towers on train, fuse with the prior weights, score valid. ``on_epoch`` sees the towers' validation score of the first regime."""
        config = config if isinstance(config, LinkerConfig) else LinkerConfig.from_dict(config)
        drugs, diseases = self._texts(config.view)
        found = []
        for index, regime in enumerate(self.regimes):
            view = self.benchmark.valid_view(regime, self.split_seed)
            towers, _ = train_on_view(self.benchmark, view, drugs, diseases, config.towers, seed=seed, regime=regime, on_epoch=on_epoch if index == 0 else None)
            components = score_view(self.benchmark, view, drugs, diseases, config, towers=towers)
            labels, candidates = self.benchmark.asked(view)
            if regime == "disease":
                components, labels, candidates = {name: matrix.T for name, matrix in components.items()}, labels.T, candidates.T
            total, count = mean_objective(fuse(components, PRIOR), labels, candidates)
            found.append(total / max(1, count))
        return float(np.mean(found))

    def _texts(self, view: str) -> tuple[Drugs, Diseases]:
        if view not in self._encoded:
            tables = self.benchmark.tables
            self._encoded[view] = encode_drugs(tables.drugs, self.encoder, view=view), encode_diseases(tables.diseases, self.encoder)
        return self._encoded[view]


def link_score(benchmark: Benchmark, *, regimes: Sequence[str] = ("drug", "disease"), split_seed: int = 0, encoder: TextEncoder | None = None) -> LinkScore:
    """The closure for ``drugai.tuning.tune``; one study serves unseen drugs and unseen diseases at once.

    Raises:
        ConfigError: A regime that does not exist.
    """
    for regime in regimes:
        if regime not in REGIMES:
            raise unknown("regime", regime, REGIMES)
    return LinkScore(benchmark, tuple(regimes), split_seed, encoder or TextEncoder())
