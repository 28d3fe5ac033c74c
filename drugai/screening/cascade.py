"""A cascade: cheap filters, then cheap models that let a share through, then the full model, then an ensemble for what that one is unsure of.

As a file that ``screen`` takes in place of a scorer::

    [[stage]]
    filters = [{ kind = "property", property = "weight", high = 500 }, { kind = "alerts", sets = ["PAINS"] }]    # terms as in a scorer's file; a 0 stops
    [[stage]]
    model = "runs/trees"
    task = "pIC50"                  # may be left out where the model has one
    direction = "max"
    keep = 0.1                      # the best tenth of what reaches it goes on; or at_least = 6.5 (at_most for min), in the task's unit
    [[stage]]
    model = "runs/gnn"              # the full model: its value ranks
    [[stage]]
    model = "runs/ensemble"
    uncertain = 0.25                # re-scores the quarter of which the stage before is least sure

Shares become thresholds once, on the library's first 4,096 records, and stand in ``run.json``: so every shard is cut alike, and what each stage really let through is in the summary. A random
sample of the molecules that pass the filters (some 2,000, chosen by a hash of their SMILES) meets the full model whatever the cheap ones say of them; the share of its best
that the cascade kept is the recall that the summary states.
"""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drugai.contracts import Scores
from drugai.errors import ConfigError, nearest, unknown
from drugai.molecules import MoleculeBatch
from drugai.scoring import TermScorer, build_scorer

if TYPE_CHECKING:
    from drugai.screening.scorers import Recorder

AUDITED = 2000
"""Molecules of a library that meet the full model whatever the stages before say."""
AUDIT = "full_model"
"""Column with the value of the full cascade for audited molecules."""
_KEYS = ("filters", "model", "task", "direction", "keep", "at_least", "at_most", "uncertain", "name")

Load = Callable[[str], "Recorder"]


@dataclass(eq=False)
class Stage:
    """One stage.

    Attributes:
        name: Of its columns.
        filters: Terms that stop a molecule, or None for a model's stage.
        model: The model and its task's column.
        sign: 1 where more is better, −1 where less is.
        keep: Share of what reaches it that goes on; None: the threshold is given, or all go on.
        threshold: On the signed value, −inf for none; of a re-scoring stage on the spread.
        uncertain: Share to re-score; None for other stages.
    """

    name: str
    filters: TermScorer | None = None
    model: Recorder | None = None
    task: int = 0
    sign: float = 1.0
    keep: float | None = None
    threshold: float = -np.inf
    uncertain: float | None = None

    @property
    def rescores(self) -> bool:
        """Whether it replaces the value of the uncertain."""
        return self.uncertain is not None


class Cascade:
    """Stages in their order, as a Scorer; the total rises with the last value, as of a model that ranks alone.

    Args:
        stages: At least one with a model; the last that does not re-score is the full model.
        task: Name of the column of final values.
        audit: Of so many molecules one is audited (0: none).
    """

    def __init__(self, stages: Sequence[Stage], task: str, audit: int = 0) -> None:
        models = [number for number, stage in enumerate(stages) if stage.filters is None and not stage.rescores]
        if not models:
            raise ConfigError("a cascade needs a stage with a model that scores")
        if any(stage.rescores for stage in stages[: models[-1]]):
            raise ConfigError("a stage with uncertain= must come after the full model")
        if any(stage.filters is not None for stage in stages[models[-1] :]):
            raise ConfigError("filters must come before the full model")
        self.stages = list(stages)
        self.full = models[-1]
        self.task = task
        self.audit = audit if len(models) > 1 or stages[self.full].threshold > -np.inf else 0  # without a selection there is nothing to audit
        self.center, self.scale = 0.0, 1.0

    @property
    def sign(self) -> float:
        """1 where more of the final value is better."""
        return self.stages[self.full].sign

    def score(self, molecules: Sequence[str] | MoleculeBatch) -> Scores:
        """Score n molecules; the total of one that a stage stopped is 0."""
        return self._run(MoleculeBatch.of(molecules), deciding=False)

    def decide(self, sample: MoleculeBatch) -> dict[str, Any]:
        """Thresholds, center and scale from the library's first molecules."""
        value = self._run(sample, deciding=True).raw[self.task]
        known = value[~np.isnan(value)]
        spread = float(np.std(known)) if len(known) > 1 else 0.0
        center, scale = (round(float(np.median(known)), 6) if len(known) else 0.0), (round(spread, 6) if spread > 1e-6 else 1.0)
        thresholds = [None if np.isinf(stage.threshold) else stage.threshold for stage in self.stages]
        self.settle(center, scale, thresholds)
        return {"center": center, "scale": scale, "thresholds": thresholds}

    def settle(self, center: float, scale: float, thresholds: Sequence[float | None]) -> None:
        """Take over what was decided."""
        self.center, self.scale = center, scale
        for stage, threshold in zip(self.stages, thresholds, strict=True):
            stage.threshold = -np.inf if threshold is None else threshold

    def _run(self, batch: MoleculeBatch, deciding: bool) -> Scores:
        n = len(batch)
        reasons, alive = list(batch.reasons), batch.valid.copy()
        audited = alive & self._audited(batch)
        value, spread = np.full(n, np.nan), np.full(n, np.nan)
        raw: dict[str, np.ndarray] = {}
        parts: dict[str, np.ndarray] = {}
        for number, stage in enumerate(self.stages):
            if stage.filters is not None:
                passed = self._filter(stage, batch, alive, reasons, raw, parts)
                alive &= passed
                audited &= passed
                continue
            taking = (alive | audited) if number >= self.full else alive
            if stage.rescores:
                if deciding:
                    stage.threshold = _quantile(spread[taking & ~np.isnan(value)], 1 - float(stage.uncertain or 0))
                taking = taking & (spread > stage.threshold)
            rows = np.flatnonzero(taking)
            found, own_spread = self._predict(stage, batch, rows, reasons)
            if stage.rescores:
                value[rows] = found
                raw[stage.name], parts[stage.name] = _spread_out(n, rows, found), _spread_out(n, rows[alive[rows]], np.ones(int(alive[rows].sum())))
                alive &= ~np.isnan(value)
                continue
            if deciding and stage.keep is not None:
                here = alive[rows] & ~np.isnan(found)
                stage.threshold = _quantile(stage.sign * found[here], 1 - stage.keep)
            passes = np.nan_to_num(stage.sign * found, nan=-np.inf) >= stage.threshold
            passes &= ~np.isnan(found)
            raw[stage.name] = _spread_out(n, rows, found)
            parts[stage.name] = _spread_out(n, rows[alive[rows]], passes[alive[rows]].astype(float))
            if number == self.full:
                value[rows], spread[rows] = found, own_spread
            alive[rows] &= passes
        return self._scores(alive, audited, value, raw, parts, reasons)

    def _scores(
        self, alive: np.ndarray, audited: np.ndarray, value: np.ndarray, raw: dict[str, np.ndarray], parts: dict[str, np.ndarray], reasons: list[str]
    ) -> Scores:
        signed = np.clip(self.sign * (value - self.center) / self.scale, -30.0, 30.0)
        desirability = np.where(alive, 1.0 / (1.0 + np.exp(-signed)), np.nan)
        if self.audit:
            raw[AUDIT] = np.where(audited, value, np.nan)
        raw[self.task], parts[self.task] = np.where(alive, value, np.nan), desirability
        return Scores(np.nan_to_num(desirability), parts, raw, tuple(reasons))

    def _filter(
        self, stage: Stage, batch: MoleculeBatch, alive: np.ndarray, reasons: list[str], raw: dict[str, np.ndarray], parts: dict[str, np.ndarray]
    ) -> np.ndarray:
        assert stage.filters is not None
        rows = np.flatnonzero(alive)
        found = stage.filters.score(batch.take(rows))
        for term in found.raw:
            raw[term], parts[term] = _spread_out(len(alive), rows, found.raw[term]), _spread_out(len(alive), rows, found.parts[term])
        for place, why in zip(rows, found.reasons, strict=True):
            reasons[place] = reasons[place] or why
        passed = np.zeros(len(alive), dtype=bool)
        passed[rows] = found.total > 0
        return passed

    def _predict(self, stage: Stage, batch: MoleculeBatch, rows: np.ndarray, reasons: list[str]) -> tuple[np.ndarray, np.ndarray]:
        assert stage.model is not None
        if not len(rows):
            return np.zeros(0), np.zeros(0)
        found = stage.model.predict(batch if len(rows) == len(batch) else batch.take(rows))
        for place, why in zip(rows, found.reasons, strict=True):
            reasons[place] = reasons[place] or why
        std = np.full(len(rows), np.nan) if found.std is None else found.std[:, stage.task].astype(np.float64)
        return found.mean[:, stage.task].astype(np.float64), std

    def _audited(self, batch: MoleculeBatch) -> np.ndarray:
        if not self.audit:
            return np.zeros(len(batch), dtype=bool)
        return np.array([zlib.crc32(smi.encode("utf-8", "replace")) % self.audit == 0 for smi in batch.smiles], dtype=bool)


def _quantile(values: np.ndarray, share: float) -> float:
    known = values[~np.isnan(values)]
    return float(np.quantile(known, share)) if len(known) else -np.inf


def _spread_out(n: int, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """``[n]`` with ``values`` at ``rows`` and NaN elsewhere."""
    out = np.full(n, np.nan)
    out[rows] = values
    return out


def stage_entries(values: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """The stages of a cascade's file, their keys checked.

    Raises:
        ConfigError: What is wrong, all of it.
    """
    problems = [f"unknown key {key!r}; the key is stage" for key in values if key != "stage"]
    entries = [dict(entry) for entry in values.get("stage", [])]
    for number, entry in enumerate(entries, start=1):
        for key in entry:
            if key not in _KEYS:
                near = nearest(key, _KEYS)
                problems.append(f"stage {number}: unknown key {key!r}; {f'did you mean {near!r}? ' if near else ''}the keys are: {', '.join(_KEYS)}")
        if ("filters" in entry) == ("model" in entry):
            problems.append(f"stage {number}: give either filters or a model")
        for key in ("keep", "uncertain"):
            if key in entry and not 0 < entry[key] <= 1:
                problems.append(f"stage {number}: {key}={entry[key]} must lie in (0, 1]")
        if entry.get("direction", "max") not in ("max", "min"):
            problems.append(f"stage {number}: direction={entry['direction']!r} is not max or min")
    if problems:
        raise ConfigError(f"{where}: " + "; ".join(problems[:10]))
    return entries


def make_cascade(entries: Sequence[Mapping[str, Any]], load: Load, *, folder: Path, where: str, audit: int = 0) -> Cascade:
    """A cascade from plain values; paths are relative to ``folder``."""
    stages, task = [], ""
    for number, entry in enumerate(entries, start=1):
        if "filters" in entry:
            terms = build_scorer({"term": [dict(term) for term in entry["filters"]]}, folder=folder, where=f"{where}: stage {number}")
            stages.append(Stage("filters", filters=terms))
            continue
        place = folder / entry["model"]
        model = load(str(place if place.exists() else entry["model"]))
        names = [found.name for found in model.tasks]
        chosen = entry.get("task", names[0] if len(names) == 1 else "")
        if chosen not in names:
            raise unknown("task", chosen, names)
        sign = 1.0 if entry.get("direction", "max") == "max" else -1.0
        limits = [sign * float(entry[key]) for key in ("at_least", "at_most") if key in entry]
        if ("at_most" if sign > 0 else "at_least") in entry:
            raise ConfigError(f"{where}: stage {number}: at_least goes with direction max, at_most with min")
        name = entry.get("name", f"stage{number}_{Path(entry['model']).name}")
        stages.append(Stage(name, None, model, names.index(chosen), sign, entry.get("keep"), limits[0] if limits else -np.inf, entry.get("uncertain")))
        if "uncertain" in entry:
            if stages[-2].model is None or stages[-2].model.predict(["C"]).std is None:
                raise ConfigError(f"{where}: stage {number} re-scores the uncertain, but the stage before gives no spread; train that one with two members or more")
        else:
            task = chosen
    return Cascade(stages, task, audit)


def read_cascade(path: str | Path, load: Load, *, audit: int = 0) -> Cascade:
    """A cascade from its TOML file."""
    file = Path(path)
    values = tomllib.loads(file.read_text(encoding="utf-8"))
    return make_cascade(stage_entries(values, str(file)), load, folder=file.parent, where=str(file), audit=audit)


def cascade_sign(path: str | Path) -> float:
    """1 where the full model of a cascade's file ranks by more, −1 where by less."""
    file = Path(path)
    models = [entry for entry in stage_entries(tomllib.loads(file.read_text(encoding="utf-8")), str(file)) if "model" in entry and "uncertain" not in entry]
    return 1.0 if models[-1].get("direction", "max") == "max" else -1.0


def recall_of(audit: np.ndarray, total: np.ndarray, sign: float, share: float) -> dict[str, Any] | None:
    """How many of the audited molecules that the full model likes best the cascade kept.

    Args:
        audit: ``[n]`` value of the full model, NaN for molecules that were not audited.
        total: ``[n]`` total of the cascade, 0 for what it stopped.
        sign: 1 where more is better.
        share: Of the audited that count as the top; twenty molecules at the least.

    Returns:
        ``audited``, ``top``, ``kept``, ``recall`` and its 95 % interval (Wilson); None if fewer than twenty were audited.
    """
    rows = np.flatnonzero(~np.isnan(audit))
    if len(rows) < 20:
        return None
    k = min(len(rows), max(20, round(share * len(rows))))
    best = rows[np.lexsort((rows, -sign * audit[rows]))[:k]]
    kept = int((total[best] > 0).sum())
    p, z = kept / k, 1.96
    middle, half = (p + z * z / (2 * k)) / (1 + z * z / k), z * np.sqrt(p * (1 - p) / k + z * z / (4 * k * k)) / (1 + z * z / k)
    return {"audited": len(rows), "top": k, "kept": kept, "recall": round(p, 4), "interval": [round(float(max(0.0, middle - half)), 4), round(float(min(1.0, middle + half)), 4)]}
