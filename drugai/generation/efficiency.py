"""What tuning may see of an optimiser: how quickly it finds good molecules within a fixed budget of scored ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drugai.config import Config
from drugai.contracts import Generator, Scorer
from drugai.errors import ConfigError, unknown
from drugai.generation.genetic import GeneticConfig
from drugai.generation.optimization import METHODS, optimize
from drugai.generation.reinvent import ReinventConfig
from drugai.molecules import read_library
from drugai.predictors import load_predictor
from drugai.scoring import read_scorer


@dataclass(frozen=True, eq=False)
class EfficiencyScore:
    """GeneticConfig or ReinventConfig → PMO's area under the curve of the ten best over the budget, in [0, 1], mean over seeds.

    All configs run with the same seeds; ``on_fold`` sees each seed's area as it comes, so that the Wilcoxon pruner can end a config early.

    Attributes:
        generator: Source of the first molecules; the prior that ``reinvent`` and ``hybrid`` steer.
        scorer: What a good molecule is.
        budget: Molecules that each run may have scored.
        method: genetic, reinvent or hybrid.
        seeds: Of the runs.
        start: Molecules to start from, or None.
        direction: More is better.
    """

    generator: Generator | None
    scorer: Scorer
    budget: int
    method: str
    seeds: tuple[int, ...]
    start: tuple[str, ...] | None = None
    metric: str = "AUC of the ten best"
    direction: str = "max"

    def __call__(self, config: Config, *, on_fold: Callable[[int, float], None] | None = None) -> float:
        """Run with each seed."""
        found = []
        for number, seed in enumerate(self.seeds):
            run = optimize(self.generator, self.scorer, budget=self.budget, seed=seed, method=self.method, start=self.start, config=config)
            found.append(run.auc_top10)
            if on_fold is not None:
                on_fold(number, found[-1])
        return float(np.mean(found))

    def fixed(self, config: Any) -> dict[str, Any]:
        """Fields that the method does not use, with their values: the share of genetic proposals and how they breed, unless it is the hybrid."""
        if self.method != "reinvent":
            return {}
        values = config.to_dict()
        return {"share": values["share"], **{f"genetic.{key}": value for key, value in values["genetic"].items()}}


def efficiency_score(
    scorer: Scorer, *, generator: Generator | None = None, budget: int = 1000, method: str = "genetic", seeds: Sequence[int] = (0, 1, 2), start: Sequence[str] | None = None
) -> EfficiencyScore:
    """The closure that tuning maximizes for an optimiser.

    Raises:
        ConfigError: An unknown method, no seed, or a budget below the ten molecules that are counted.
    """
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    if budget < 10 or not seeds:
        raise ConfigError(f"the area of the ten best needs a budget of at least 10 and a seed; got {budget}, {list(seeds)}")
    return EfficiencyScore(generator, scorer, budget, method, tuple(seeds), None if start is None else tuple(start))


def optimizer_config(method: str) -> Any:
    """The default Config of a method."""
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    return GeneticConfig() if method == "genetic" else ReinventConfig()


def efficiency_from_files(
    scorer: str | Path,
    *,
    budget: int,
    method: str,
    seeds: Sequence[int],
    prior: str | Path | None = None,
    start: str | Path | None = None,
    smiles: str | None = None,
) -> EfficiencyScore:
    """:func:`efficiency_score` with everything from files: what ``drugai tune optimizer`` calls. The arguments are those of ``drugai optimize``."""
    molecules = None if start is None else [smi for part in read_library(start, smiles=smiles) for smi in part.smiles]
    generator = None
    if method != "genetic" or start is None or prior is not None:
        from drugai.generation.loading import load_generator

        generator = load_generator(prior, given=start is not None)
    return efficiency_score(read_scorer(scorer, load_predictor), generator=generator, budget=budget, method=method, seeds=list(seeds), start=molecules)
