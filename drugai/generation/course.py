"""The course of an optimisation run: its live numbers, its log lines and a row a molecule a step."""

from __future__ import annotations

import csv
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drugai.contracts import Scores
from drugai.generation.oracle import Oracle, Scored
from drugai.molecules import MoleculeBatch, fingerprint, tanimoto, write_table
from drugai.molecules.writing import neutral

logger = logging.getLogger(__name__)

STEPS = "steps.csv"
COURSE = "course.csv"


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


class Watch:
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


class StepRows:
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
        """Close the file."""
        if self._stream is not None:
            self._stream.close()


def write_course(folder: Path, steps: Sequence[Step]) -> None:
    """``course.csv``: a row a step with its live numbers."""
    write_table(folder / COURSE, {name: [getattr(step, name) for step in steps] for name in Step.__dataclass_fields__})


def columns_of(scored: Sequence[Scored]) -> dict[str, list[Any]]:
    """A table of scored molecules: smiles, total, raw and transformed value of each term, step, origin, reason."""
    names = list(dict.fromkeys(name for one in scored for name in one.parts))
    columns: dict[str, list[Any]] = {"smiles": [one.smiles for one in scored], "total": [one.total for one in scored]}
    for name in names:
        columns[f"{name} (raw)"] = [one.raw.get(name, math.nan) for one in scored]
        columns[name] = [one.parts.get(name, math.nan) for one in scored]
    return {**columns, "step": [one.step for one in scored], "origin": [one.origin for one in scored], "reason": [one.reason for one in scored]}


def _number(value: float) -> str:
    return "" if math.isnan(value) else repr(round(float(value), 6))
