"""Find molecules that a scorer likes with few calls: one loop for the genetic algorithm, REINVENT and their hybrid.

A run is a function of its seed and of the scores. To resume is therefore to run again from the start with the scores of before for free: the same molecules are proposed, and the
budget is spent once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Protocol

import numpy as np

from drugai.config import Config
from drugai.contracts import Generator, Scorer, Scores
from drugai.errors import E_VALUE, ConfigError, reason, unknown
from drugai.generation.course import Step, StepRows, Watch, columns_of, write_course
from drugai.generation.genetic import GeneticConfig, Population
from drugai.generation.molgraph import MolGraph
from drugai.generation.oracle import Oracle, Scored
from drugai.generation.pareto import ParetoProposer, objectives_of, pareto_front
from drugai.generation.reading import write_terms
from drugai.metrics.generation import auc_top
from drugai.molecules import MoleculeBatch, write_table
from drugai.runtime import derive_seed
from drugai.scoring import estimator_term, function_term, product_of

logger = logging.getLogger(__name__)

METHODS = ("genetic", "reinvent", "hybrid", "pareto")
TOP = "top.csv"
FRONT = "front.csv"
_BROODS = 20
_PATIENCE = 25  # steps in a row without a molecule that was not seen before


@dataclass(frozen=True, eq=False)
class Optimization:
    """What a run found.

    Attributes:
        scored: Every molecule that was paid for, in the order in which it was.
        budget: Molecules that might have been scored.
        method: genetic, reinvent, hybrid or pareto.
        steps: The course of the run; only the steps run here if it had been finished before.
        objectives: Terms of the scorer that are no filters.
        agent: The steered prior of ``reinvent`` and ``hybrid``.
    """

    scored: tuple[Scored, ...]
    budget: int
    method: str
    steps: tuple[Step, ...] = field(default=(), repr=False)
    objectives: tuple[str, ...] = ()
    agent: Any = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.scored)

    @property
    def totals(self) -> np.ndarray:
        """``[n]`` totals in the order of scoring."""
        return np.array([one.total for one in self.scored])

    @property
    def auc_top10(self) -> float:
        """PMO's area under the curve of the ten best over the budget, in [0, 1]."""
        return auc_top(self.totals, top=10, budget=self.budget)

    def top(self, n: int = 10) -> list[Scored]:
        """The n best molecules; of equal totals the one found first."""
        return sorted(self.scored, key=lambda one: -one.total)[:n]

    @property
    def front(self) -> list[Scored]:
        """Molecules that keep every filter and that no other beats in all objectives; the best alone for a scorer of one objective."""
        return pareto_front(self.scored, self.objectives)

    def table(self, n: int = 100) -> dict[str, list[Any]]:
        """Columns of the n best: smiles, total, raw and transformed value of each term, step, origin."""
        return columns_of(self.top(n))


class Proposer(Protocol):
    """A way of finding molecules."""

    def propose(self, step: int) -> list[tuple[str, str]]:
        """SMILES to be scored next, each with its origin."""

    def learn(self, written: Sequence[str], canonical: Sequence[str], scores: Scores, step: int) -> None:
        """Take in what the scorer said of molecules that were proposed, or of those that the run starts from."""

    def finish(self, folder: Path) -> None:
        """Keep what was learnt in the run's folder."""


class Constraint(Protocol):
    """Which molecules may be scored."""

    words: str

    def __call__(self, batch: MoleculeBatch) -> np.ndarray:
        """``[n]`` bool."""


class GeneticProposer:
    """Children of the best molecules so far; of fresh samples where there are no parents. With a constraint only children that keep it are proposed."""

    def __init__(self, config: GeneticConfig, seed: int, generator: Generator | None, keep: Constraint | None = None) -> None:
        self.config, self.seed, self.generator, self.keep = config, seed, generator, keep
        self.population = Population(config)
        self._graphs: dict[str, MolGraph] = {}

    def propose(self, step: int) -> list[tuple[str, str]]:
        """Children of the population."""
        children = self._kept(step) if self.keep is not None else self.population.breed(self.config.offspring, Random(derive_seed(self.seed, "breed", step)))
        self._graphs = {smi: graph for smi, graph, _ in children}
        if not children and self.generator is not None:
            return [(smi, "sample") for smi in self.generator.sample(self.config.offspring, derive_seed(self.seed, "refresh", step))]
        return [(smi, origin) for smi, _, origin in children]

    def _kept(self, step: int) -> list[tuple[str, MolGraph, str]]:
        """Children that keep the constraint; up to twenty broods are looked through."""
        assert self.keep is not None
        found: dict[str, tuple[str, MolGraph, str]] = {}
        for brood in range(_BROODS):
            children = self.population.breed(self.config.offspring, Random(derive_seed(self.seed, "breed", step, brood)))
            good = self.keep(MoleculeBatch([smi for smi, *_ in children])) if children else np.zeros(0, dtype=bool)
            found.update({child[0]: child for child, kept in zip(children, good, strict=True) if kept and child[0] not in found})
            if len(found) >= self.config.offspring or not children:
                break
        return list(found.values())[: self.config.offspring]

    def learn(self, written: Sequence[str], canonical: Sequence[str], scores: Scores, step: int) -> None:
        """Let the scored molecules into the population."""
        self.population.add(canonical, scores.total.tolist(), [self._graphs.get(smi) for smi in canonical])

    def finish(self, folder: Path) -> None:
        """Nothing: a population is the best of the scored molecules."""


def optimize(
    generator: Generator | None,
    scorer: Scorer | Callable[[list[str]], Any],
    *,
    budget: int,
    seed: int = 0,
    method: str = "genetic",
    start: Sequence[str] | MoleculeBatch | None = None,
    out: str | Path | None = None,
    config: Config | None = None,
    on_step: Callable[[Step], None] | None = None,
    every: int = 500,
    chunk: int = 50,
    until: float | None = None,
    keep: Constraint | None = None,
    agent: Generator | None = None,
) -> Optimization:
    """Find molecules with a high score.

    Args:
        generator: Source of the first molecules; for ``reinvent`` and ``hybrid`` the prior that is steered. ``genetic`` needs none if ``start`` is given.
        scorer: Any Scorer; a function of a list of SMILES that gives a number in [0, 1] for each; or a fitted classifier of scikit-learn (``estimator_term`` says more of it).
        budget: Different molecules (by canonical SMILES) that may be scored. Repeats and unreadable ones cost nothing.
        seed: The same seed and scores give the same run.
        method: ``genetic``, ``reinvent``, ``hybrid`` (REINVENT with genetic proposals from its memory) or ``pareto`` (genetic, for several objectives: the terms of the scorer that
            are no filters; filters are constraints).
        start: Molecules to start from, scored first; of more than a population a part drawn by ``seed``.
        out: Folder of the run: ``scored.jsonl`` (what was paid for), ``steps.csv`` (a row a molecule a step), ``top.csv``, and
            ``front.csv`` for two or more objectives. The same call goes on with a run that was killed.
        config: GeneticConfig, or ReinventConfig for the other methods.
        on_step: Called after each step.
        every: Scored molecules between two lines of the log.
        chunk: Molecules given to the scorer at once and then written down; 1 for a scorer that takes minutes a molecule.
        until: The run ends when the mean total of the ten best reaches this.
        keep: Which molecules may be scored at all; those that may not cost nothing and get 0.
        agent: Where ``reinvent`` and ``hybrid`` start steering: the agent of an earlier run, in place of the prior itself.

    Returns:
        All molecules with their scores; a run that has stopped finding new ones ends before its budget is spent.

    Raises:
        ConfigError: Unknown method, nothing to start from, a generator that the method cannot steer, or ``out`` holds a run with other settings.

    Example:
        >>> from drugai.scoring import qed, product_of
        >>> found = optimize(None, product_of(qed()), budget=40, start=["CC(=O)Oc1ccccc1C(=O)O"])  # from aspirin
        >>> len(found), found.top(1)[0].total > 0.55  # QED of aspirin
        (40, True)
    """
    scorer = _scorer(scorer)
    objectives = objectives_of(scorer)
    proposer, size, settings = _proposer(method, generator, config, seed, objectives, agent, keep)
    first = _first(generator, start, size, seed)
    folder = None if out is None else Path(out)
    settings = {**settings, "method": method, "seed": seed, "start": derive_seed(0, *first) if start is not None else None}
    if keep is not None:
        settings["keep"] = keep.words
    oracle = Oracle(scorer, budget, folder, settings, chunk=chunk)
    if folder is not None:
        write_terms(folder, scorer)
    watch = Watch(oracle, every)
    rows = StepRows(folder)
    pending = [(smi, "start" if start is not None else "sample") for smi in first]
    met: set[str] = set()
    idle = step = 0
    steps: list[Step] = []
    # a finished run is not run again: its log has everything
    while oracle.n_resumed < budget and len(met) < budget and idle < _PATIENCE:
        if not oracle.left and idle:
            break
        pending = pending if step == 0 else proposer.propose(step)
        batch = MoleculeBatch([smi for smi, _ in pending])
        scores = _scored(oracle, batch, step, [origin for _, origin in pending], keep)
        canonical = batch.canonical
        fresh = {smi for smi in canonical if smi and smi in oracle.budgeted.known} - met
        met |= fresh
        idle = 0 if fresh else idle + 1
        rows.write(step, pending, canonical, scores)
        proposer.learn(batch.smiles, canonical, scores, step)
        steps.append(watch.step(step, len(met), scores, batch))
        if on_step is not None:
            on_step(steps[-1])
        step += 1
        reached = until is not None and len(met) >= 10 and steps[-1].top10 >= until
        if reached:
            logger.info("the mean of the ten best reached %g after %d molecules", until, len(met))
            break
    rows.close()
    if oracle.left and idle:
        logger.warning("no new molecules in %d steps: the run ends with %d of %d molecules scored", idle, budget - oracle.left, budget)
    found = Optimization(tuple(oracle.scored), budget, method, tuple(steps), objectives, getattr(proposer, "agent", None) if steps else None)
    if folder is not None and len(found):
        write_table(folder / TOP, found.table())
        if len(objectives) > 1:
            write_table(folder / FRONT, columns_of(found.front))
        if steps:
            write_course(folder, steps)
            proposer.finish(folder)
    return found


def _scorer(scorer: Scorer | Callable[[list[str]], Any]) -> Scorer:
    if hasattr(scorer, "predict"):  # scikit-learn's models have a score() of their own, which is another thing
        return product_of(estimator_term(scorer))
    if isinstance(scorer, Scorer):
        return scorer
    if not callable(scorer):
        raise ConfigError(f"{scorer!r} is no scorer; pass an object with score(molecules), or a function of a list of SMILES")
    return product_of(function_term(scorer, getattr(scorer, "__name__", "score")))


def _scored(oracle: Oracle, batch: MoleculeBatch, step: int, origins: Sequence[str], keep: Constraint | None) -> Scores:
    """Scores of a step; molecules that break the constraint are not shown to the scorer."""
    if keep is None:
        return oracle.score(batch.smiles, step, origins)
    rows = np.flatnonzero(keep(batch) | ~batch.valid).tolist()
    found = oracle.score([batch.smiles[row] for row in rows], step, [origins[row] for row in rows])
    total = np.zeros(len(batch))
    total[rows] = found.total
    reasons = [reason(E_VALUE, f"not scored: {keep.words}")] * len(batch)
    for row, why in zip(rows, found.reasons, strict=True):
        reasons[row] = why

    def spread(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        wide = {name: np.full(len(batch), np.nan) for name in columns}
        for name, values in columns.items():
            wide[name][rows] = values
        return wide

    return Scores(total, spread(found.parts), spread(found.raw), tuple(reasons))


def _proposer(
    method: str, generator: Generator | None, config: Config | None, seed: int, objectives: Sequence[str], agent: Generator | None, keep: Constraint | None
) -> tuple[Proposer, int, dict[str, Any]]:
    """The proposer, how many molecules it starts from, and its settings."""
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    if method in ("genetic", "pareto"):
        genetic = config or GeneticConfig()
        if not isinstance(genetic, GeneticConfig):
            raise ConfigError(f"method {method!r} takes a GeneticConfig, got {type(genetic).__name__}")
        if method == "pareto":
            return ParetoProposer(genetic, seed, generator, objectives), genetic.population, {"config": genetic.to_dict(), "objectives": list(objectives)}
        return GeneticProposer(genetic, seed, generator, keep), genetic.population, {"config": genetic.to_dict()}
    from drugai.generation.prior import Prior
    from drugai.generation.reinvent import ReinventConfig, ReinventProposer

    steered = config or ReinventConfig()
    if not isinstance(steered, ReinventConfig):
        raise ConfigError(f"method {method!r} takes a ReinventConfig, got {type(steered).__name__}")
    if not isinstance(generator, Prior):
        raise ConfigError(f"method {method!r} steers a prior, got {type(generator).__name__}; pass load_generator(), or use method='genetic'")
    if agent is not None and not isinstance(agent, Prior):
        raise ConfigError(f"an agent is a prior that was steered before, got {type(agent).__name__}; pass Optimization.agent or load_generator(<run>/agent)")
    return ReinventProposer(generator, steered, seed, genetic=method == "hybrid", agent=agent), steered.batch, {"config": steered.to_dict()}


def _first(generator: Generator | None, start: Sequence[str] | MoleculeBatch | None, size: int, seed: int) -> list[str]:
    """The molecules of step 0."""
    if start is not None:
        batch = MoleculeBatch.of(start)
        readable = list(dict.fromkeys(smi for smi in batch.canonical if smi))
        if not readable:
            raise ConfigError(
                f"none of the {len(batch)} molecules to start from can be read; the first reason is {next(iter(batch.reasons), 'that there are none')}"
            )
        if len(readable) < len(batch):
            logger.warning("%d of %d molecules to start from are unreadable or repeated", len(batch) - len(readable), len(batch))
        return readable if len(readable) <= size else Random(derive_seed(seed, "start")).sample(readable, size)
    if generator is None:
        raise ConfigError("there is nothing to start from; pass start=[SMILES, …] or a generator")
    return generator.sample(size, derive_seed(seed, "first"))
