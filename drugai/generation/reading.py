"""A run of optimisation as it lies in its folder, running, killed or finished."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drugai.contracts import Scorer
from drugai.errors import ArtifactError
from drugai.generation.course import COURSE, Step
from drugai.generation.oracle import LOG, SETTINGS, Scored, read_log
from drugai.generation.pareto import objectives_of, pareto_front
from drugai.molecules.writing import atomic_file
from drugai.scoring import TermScorer
from drugai.scoring.transforms import Step as Step01

TERMS = "terms.json"


@dataclass(frozen=True, eq=False)
class StoredRun:
    """What the folder of a run says.

    Attributes:
        path: The folder.
        scored: Every molecule that was paid for, in the order in which it was.
        steps: The course; () for a run that has not ended.
        settings: Method, seed, Config.
        terms: Of the scorer: name, whether it is a filter, weight, transform in words, ``low`` and ``high`` of a step; () for a scorer that is not made of terms.
    """

    path: Path
    scored: tuple[Scored, ...]
    steps: tuple[Step, ...]
    settings: Mapping[str, Any]
    terms: tuple[Mapping[str, Any], ...]

    @property
    def objectives(self) -> tuple[str, ...]:
        """Terms that are no filters."""
        return tuple(term["name"] for term in self.terms if not term["filter"])

    @property
    def front(self) -> list[Scored]:
        """Molecules that no other beats in all objectives."""
        return pareto_front(self.scored, self.objectives)

    def top(self, n: int) -> list[Scored]:
        """The n best molecules; of equal totals the one found first."""
        return sorted(self.scored, key=lambda one: -one.total)[:n]


def is_run(path: str | Path) -> bool:
    """Whether a folder is that of an optimisation."""
    return (Path(path) / SETTINGS).is_file() and (Path(path) / LOG).is_file()


def read_run(path: str | Path) -> StoredRun:
    """Open the folder of a run.

    Raises:
        ArtifactError: It is none, or its log is damaged.
    """
    folder = Path(path)
    if not is_run(folder):
        raise ArtifactError(f"{folder}: no run of optimisation is there (no {SETTINGS} with {LOG}); give the folder that drugai optimize wrote")
    steps: list[Step] = []
    if (folder / COURSE).is_file():
        with (folder / COURSE).open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                values = {name: float(row[name]) if row[name] else float("nan") for name in Step.__dataclass_fields__}
                steps.append(Step(**{**values, "number": int(values["number"]), "used": int(values["used"])}))  # type: ignore[arg-type]
    terms = json.loads((folder / TERMS).read_text(encoding="utf-8")) if (folder / TERMS).is_file() else []
    return StoredRun(folder, tuple(read_log(folder / LOG)), tuple(steps), json.loads((folder / SETTINGS).read_text(encoding="utf-8")), tuple(terms))


def write_terms(folder: Path, scorer: Scorer) -> None:
    """``terms.json``: what the scorer is made of, in words."""
    if not isinstance(scorer, TermScorer):
        return
    objectives = objectives_of(scorer)
    found: list[dict[str, Any]] = []
    for term in scorer.terms:
        entry = {"name": term.name, "filter": term.name not in objectives, "weight": term.weight, "transform": str(term.transform)}
        if isinstance(term.transform, Step01):
            entry |= {key: end for key in ("low", "high") if math.isfinite(end := getattr(term.transform, key))}
        found.append(entry)
    with atomic_file(folder / TERMS) as stream:
        stream.write((json.dumps(found, indent=1) + "\n").encode())
