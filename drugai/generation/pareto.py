"""Several objectives at once: which molecules no other beats in all of them, and a genetic search that keeps those.

Source: Deb et al., NSGA-II, IEEE Trans. Evol. Comput. 2002, 6, 182, 10.1109/4235.996017; infeasible molecules rank behind all feasible ones, as there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np

from drugai.contracts import Generator, Scorer, Scores
from drugai.errors import ConfigError
from drugai.generation.genetic import GeneticConfig, Population
from drugai.generation.molgraph import MolGraph
from drugai.generation.oracle import Scored
from drugai.runtime import derive_seed
from drugai.scoring import TermScorer


def objectives_of(scorer: Scorer) -> tuple[str, ...]:
    """The terms that are weighed against each other: those that are no filters; () for a scorer that is not made of terms."""
    return tuple(term.name for term in scorer.terms if not term.filter) if isinstance(scorer, TermScorer) else ()


def dominance_ranks(values: np.ndarray) -> np.ndarray:
    """``[n]`` front of each row of ``[n, k]`` (more is better): 0 for rows that no other beats, 1 for those that only rows of front 0 beat, and so on.

    Example:
        >>> dominance_ranks(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.5], [0.0, 0.0]])).tolist()
        [0, 0, 1, 2]
    """
    one, other = values[:, None], values[None]
    better = np.asarray((one >= other).all(2) & (one > other).any(2))  # [n, n]: row i beats row j
    ranks = np.full(len(values), -1)
    front = 0
    while (ranks < 0).any():
        open_rows = ranks < 0
        beaten = better[open_rows].any(0)
        ranks[open_rows & ~beaten] = front
        front += 1
    return ranks


def crowding(values: np.ndarray) -> np.ndarray:
    """``[n]`` how lonely each row of one front is: summed distance of its neighbours along each objective, infinite at the ends."""
    found = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        span = column[order[-1]] - column[order[0]]
        found[order[[0, -1]]] = np.inf
        if span > 0:
            found[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / span
    return found


def pareto_front(scored: Sequence[Scored], objectives: Sequence[str]) -> list[Scored]:
    """Scored molecules that keep every filter and that no other beats in all objectives, best total first. Of equal ones the first found stays.

    A molecule with 0 in a term of a geometric mean is not on the front: it fails that term.
    """
    alive = [one for one in scored if not one.reason and one.total > 0 and not any(math.isnan(one.parts.get(name, math.nan)) for name in objectives)]
    first = {tuple(one.parts[name] for name in objectives): one for one in reversed(alive)}
    points = list(first)
    if not points:
        return []
    # the best in one objective first: a running front stays small, so that 10,000 molecules need no 10,000 × 10,000 comparisons
    front: list[tuple[float, ...]] = []
    for point in sorted(points, reverse=True):
        if not any(all(a >= b for a, b in zip(other, point, strict=True)) for other in front):
            front.append(point)
    return sorted((first[point] for point in front), key=lambda one: -one.total)


class ParetoPopulation(Population):
    """Parents by front and, within one, by how lonely they are."""

    def __init__(self, config: GeneticConfig) -> None:
        super().__init__(config)
        self._values: dict[str, np.ndarray] = {}

    def take(self, canonical: Sequence[str], values: np.ndarray, feasible: np.ndarray, graphs: Sequence[MolGraph | None]) -> None:
        """Let scored molecules in: ``values`` ``[n, k]`` in [0, 1], NaN where a term was not reached; ``feasible`` ``[n]``."""
        for row, smi in enumerate(canonical):
            if not smi or smi in self._seen:
                continue
            self._seen.add(smi)
            graph = graphs[row] or MolGraph.read(smi)
            if graph is not None and self._gate.admits(graph):
                self.members[smi] = (0.0, graph)
                # an infeasible molecule lies below every feasible one in all objectives
                self._values[smi] = np.nan_to_num(values[row], nan=0.0) - (0.0 if feasible[row] else 2.0)
        names = list(self.members)
        if not names:
            return
        points = np.stack([self._values[smi] for smi in names])
        ranks = dominance_ranks(points)
        lonely = np.zeros(len(names))
        for front in np.unique(ranks):
            rows = np.flatnonzero(ranks == front)
            lonely[rows] = crowding(points[rows])
        order = sorted(range(len(names)), key=lambda row: (ranks[row], -lonely[row]))[: self.config.population]
        self.members = {names[row]: (-float(ranks[row]), self.members[names[row]][1]) for row in order}
        self._values = {smi: self._values[smi] for smi in self.members}


class ParetoProposer:
    """Children of the molecules on the first fronts."""

    def __init__(self, config: GeneticConfig, seed: int, generator: Generator | None, objectives: Sequence[str]) -> None:
        if len(objectives) < 2:
            raise ConfigError(
                f"a Pareto search needs a scorer of two or more terms that are no filters, got {', '.join(objectives) or 'none'}; "
                "name each objective as a term of its own, and limits as filters"
            )
        self.config, self.seed, self.generator, self.objectives = config, seed, generator, tuple(objectives)
        self.population = ParetoPopulation(config)
        self._graphs: dict[str, MolGraph] = {}

    def propose(self, step: int) -> list[tuple[str, str]]:
        """Children of the population."""
        children = self.population.breed(self.config.offspring, Random(derive_seed(self.seed, "breed", step)))
        self._graphs = {smi: graph for smi, graph, _ in children}
        if not children and self.generator is not None:
            return [(smi, "sample") for smi in self.generator.sample(self.config.offspring, derive_seed(self.seed, "refresh", step))]
        return [(smi, origin) for smi, _, origin in children]

    def learn(self, written: Sequence[str], canonical: Sequence[str], scores: Scores, step: int) -> None:
        """Let the scored molecules into the population."""
        values = np.stack([scores.parts.get(name, np.full(len(scores), np.nan)) for name in self.objectives], axis=1)
        feasible = np.array([not why for why in scores.reasons], dtype=bool) & (scores.total > 0)
        self.population.take(canonical, values, feasible, [self._graphs.get(smi) for smi in canonical])

    def finish(self, folder: Path) -> None:
        """Nothing: a population is the best of the scored molecules."""
