"""Find molecules that a scorer likes with few calls: one loop for the genetic algorithm, REINVENT and their hybrid.

A run is a function of its seed and of the scores. To resume is therefore to run again from the start with the scores of before for free: the same molecules are proposed, and the
budget is spent once.
"""

from __future__ import annotations

import csv
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Protocol

import numpy as np

from drugai.config import Config
from drugai.contracts import Generator, Scorer, Scores
from drugai.errors import ConfigError, unknown
from drugai.generation.genetic import GeneticConfig, Population
from drugai.generation.molgraph import MolGraph
from drugai.generation.oracle import Oracle, Scored
from drugai.metrics.generation import auc_top
from drugai.molecules import MoleculeBatch, fingerprint, tanimoto, write_table
from drugai.molecules.writing import neutral
from drugai.runtime import derive_seed
from drugai.scoring import function_term, product_of

logger = logging.getLogger(__name__)

METHODS = ("genetic", "reinvent", "hybrid")
STEPS, TOP = "steps.csv", "top.csv"
_PATIENCE = 25  # steps in a row without a molecule that was not seen before


@dataclass(frozen=True)
class Step:
    """Where a run stands after a step.

    Attributes:
        number: Of the step, from 0.
        used: Different molecules scored.
        mean: Mean total of the step's molecules, unreadable ones counted as 0.
        top10: Mean total of the ten best so far.
        best: The best total so far.
        diversity: 1 − mean Tanimoto similarity (Morgan, radius 2) among the 100 best so far; NaN for fewer than two.
        readable: Share of the step's molecules that can be read.
    """

    number: int
    used: int
    mean: float
    top10: float
    best: float
    diversity: float
    readable: float


@dataclass(frozen=True, eq=False)
class Optimization:
    """What a run found.

    Attributes:
        scored: Every molecule that was paid for, in the order in which it was.
        budget: Molecules that might have been scored.
        method: genetic, reinvent or hybrid.
        steps: The course of the run; only the steps run here if it had been finished before.
    """

    scored: tuple[Scored, ...]
    budget: int
    method: str
    steps: tuple[Step, ...] = field(default=(), repr=False)

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

    def table(self, n: int = 100) -> dict[str, list[Any]]:
        """Columns of the n best: smiles, total, raw and transformed value of each term, step, origin."""
        return _columns(self.top(n))


class Proposer(Protocol):
    """A way of finding molecules."""

    def propose(self, step: int) -> list[tuple[str, str]]:
        """SMILES to be scored next, each with its origin."""

    def learn(self, written: Sequence[str], canonical: Sequence[str], totals: np.ndarray, step: int) -> None:
        """Take in what the scorer said of molecules that were proposed, or of those that the run starts from."""

    def finish(self, folder: Path) -> None:
        """Keep what was learnt in the run's folder."""


class GeneticProposer:
    """Children of the best molecules so far; of fresh samples where there are no parents."""

    def __init__(self, config: GeneticConfig, seed: int, generator: Generator | None) -> None:
        self.config, self.seed, self.generator = config, seed, generator
        self.population = Population(config)
        self._graphs: dict[str, MolGraph] = {}

    def propose(self, step: int) -> list[tuple[str, str]]:
        """Children of the population."""
        children = self.population.breed(self.config.offspring, Random(derive_seed(self.seed, "breed", step)))
        self._graphs = {smi: graph for smi, graph, _ in children}
        if not children and self.generator is not None:
            return [(smi, "sample") for smi in self.generator.sample(self.config.offspring, derive_seed(self.seed, "refresh", step))]
        return [(smi, origin) for smi, _, origin in children]

    def learn(self, written: Sequence[str], canonical: Sequence[str], totals: np.ndarray, step: int) -> None:
        """Let the scored molecules into the population."""
        self.population.add(canonical, totals.tolist(), [self._graphs.get(smi) for smi in canonical])

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
) -> Optimization:
    """Find molecules with a high score.

    Args:
        generator: Source of the first molecules; for ``reinvent`` and ``hybrid`` the prior that is steered. ``genetic`` needs none if ``start`` is given.
        scorer: Any Scorer, or a function of a list of SMILES that gives a number in [0, 1] for each.
        budget: Different molecules (by canonical SMILES) that may be scored. Repeats and unreadable ones cost nothing.
        seed: The same seed and scores give the same run.
        method: ``genetic``, ``reinvent`` or ``hybrid`` (REINVENT with genetic proposals from its memory).
        start: Molecules to start from, scored first; of more than a population a part drawn by ``seed``.
        out: Folder of the run: ``scored.jsonl`` (what was paid for), ``steps.csv`` (a row a molecule a step), ``top.csv``. The same call goes on with a run that was killed.
        config: GeneticConfig, or ReinventConfig for the other methods.
        on_step: Called after each step.
        every: Scored molecules between two lines of the log.
        chunk: Molecules given to the scorer at once and then written down; 1 for a scorer that takes minutes a molecule.

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
    proposer, size, settings = _proposer(method, generator, config, seed)
    first = _first(generator, start, size, seed)
    folder = None if out is None else Path(out)
    settings = {**settings, "method": method, "seed": seed, "start": derive_seed(0, *first) if start is not None else None}
    oracle = Oracle(_scorer(scorer), budget, folder, settings, chunk=chunk)
    watch = _Watch(oracle, every)
    rows = _StepRows(folder)
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
        scores = oracle.score(batch.smiles, step, [origin for _, origin in pending])
        canonical = batch.canonical
        fresh = {smi for smi in canonical if smi and smi in oracle.budgeted.known} - met
        met |= fresh
        idle = 0 if fresh else idle + 1
        rows.write(step, pending, canonical, scores)
        proposer.learn(batch.smiles, canonical, scores.total, step)
        steps.append(watch.step(step, len(met), scores, batch))
        if on_step is not None:
            on_step(steps[-1])
        step += 1
    rows.close()
    if oracle.left:
        logger.warning("no new molecules in %d steps: the run ends with %d of %d molecules scored", idle, budget - oracle.left, budget)
    found = Optimization(tuple(oracle.scored), budget, method, tuple(steps))
    if folder is not None and len(found):
        write_table(folder / TOP, found.table())
        if steps:
            proposer.finish(folder)
    return found


def _scorer(scorer: Scorer | Callable[[list[str]], Any]) -> Scorer:
    if isinstance(scorer, Scorer):
        return scorer
    if not callable(scorer):
        raise ConfigError(f"{scorer!r} is no scorer; pass an object with score(molecules), or a function of a list of SMILES")
    return product_of(function_term(scorer, getattr(scorer, "__name__", "score")))


def _proposer(method: str, generator: Generator | None, config: Config | None, seed: int) -> tuple[Proposer, int, dict[str, Any]]:
    """The proposer, how many molecules it starts from, and its settings."""
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    if method == "genetic":
        genetic = config or GeneticConfig()
        if not isinstance(genetic, GeneticConfig):
            raise ConfigError(f"method 'genetic' takes a GeneticConfig, got {type(genetic).__name__}")
        return GeneticProposer(genetic, seed, generator), genetic.population, {"config": genetic.to_dict()}
    from drugai.generation.prior import Prior
    from drugai.generation.reinvent import ReinventConfig, ReinventProposer

    steered = config or ReinventConfig()
    if not isinstance(steered, ReinventConfig):
        raise ConfigError(f"method {method!r} takes a ReinventConfig, got {type(steered).__name__}")
    if not isinstance(generator, Prior):
        raise ConfigError(f"method {method!r} steers a prior, got {type(generator).__name__}; pass load_generator(), or use method='genetic'")
    return ReinventProposer(generator, steered, seed, genetic=method == "hybrid"), steered.batch, {"config": steered.to_dict()}


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


class _Watch:
    """The live numbers of a run, and a line of the log now and then."""

    def __init__(self, oracle: Oracle, every: int) -> None:
        self.oracle, self.every = oracle, every
        self._next = 0
        self._bits: dict[str, np.ndarray] = {}
        self._best: dict[str, float] = {}

    def step(self, number: int, used: int, scores: Scores, batch: MoleculeBatch) -> Step:
        """The numbers after a step."""
        for smi, total in zip(batch.canonical, scores.total.tolist(), strict=True):
            if smi and smi in self.oracle.budgeted.known:
                self._best[smi] = total
        ranked = sorted(self._best.items(), key=lambda item: -item[1])[:100]
        self._best = dict(ranked)
        top10 = [total for _, total in ranked[:10]]
        # rows beyond the budget were not scored
        scored = [total for smi, total in zip(batch.canonical, scores.total.tolist(), strict=True) if not smi or smi in self.oracle.budgeted.known]
        found = Step(
            number,
            used,
            float(np.mean(scored)) if scored else math.nan,
            float(np.mean(top10)) if top10 else 0.0,
            top10[0] if top10 else 0.0,
            self._diversity([smi for smi, _ in ranked]),
            float(batch.valid.mean()) if len(batch) else math.nan,
        )
        if used >= self._next or not self.oracle.left:
            self._next = (used // self.every + 1) * self.every
            words = "step %d: %d scored, mean %.3f, best ten %.3f, best %.3f, diversity %.3f"
            logger.info(words, number, used, found.mean, found.top10, found.best, found.diversity, extra={"fields": {**found.__dict__}})
        return found

    def _diversity(self, smiles: list[str]) -> float:
        new = [smi for smi in smiles if smi not in self._bits]
        self._bits.update(zip(new, fingerprint(new, bits=1024), strict=True))
        self._bits = {smi: self._bits[smi] for smi in smiles}
        if len(smiles) < 2:
            return math.nan
        similarity = tanimoto(np.stack(list(self._bits.values())))
        return float(1 - similarity[np.triu_indices(len(smiles), 1)].mean())


class _StepRows:
    """``steps.csv``: one row a molecule a step, readable by a spreadsheet while the run goes on."""

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / STEPS
        self._stream: Any = None
        self._names: list[str] = []

    def write(self, step: int, proposed: Sequence[tuple[str, str]], canonical: Sequence[str], scores: Scores) -> None:
        """The rows of a step. The SMILES is the canonical one that was scored, or what was written where it cannot be read."""
        if self._path is None:
            return
        if self._stream is None:
            self._stream = self._path.open("w", newline="", encoding="utf-8")
            self._names = list(scores.parts)
            header = ["step", "origin", "smiles", "total"]
            csv.writer(self._stream).writerow([*header, *(name for term in self._names for name in (f"{term} (raw)", term)), "reason"])
        out = csv.writer(self._stream)
        for row, ((written, origin), smi) in enumerate(zip(proposed, canonical, strict=True)):
            values = [_number(which[name][row]) if name in which else "" for name in self._names for which in (scores.raw, scores.parts)]
            out.writerow([step, origin, neutral(smi or written), _number(scores.total[row]), *values, neutral(scores.reasons[row])])
        self._stream.flush()

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()


def _columns(scored: Sequence[Scored]) -> dict[str, list[Any]]:
    names = list(dict.fromkeys(name for one in scored for name in one.parts))
    columns: dict[str, list[Any]] = {"smiles": [one.smiles for one in scored], "total": [one.total for one in scored]}
    for name in names:
        columns[f"{name} (raw)"] = [one.raw.get(name, math.nan) for one in scored]
        columns[name] = [one.parts.get(name, math.nan) for one in scored]
    return {**columns, "step": [one.step for one in scored], "origin": [one.origin for one in scored], "reason": [one.reason for one in scored]}


def _number(value: float) -> str:
    return "" if math.isnan(value) else repr(round(float(value), 6))
