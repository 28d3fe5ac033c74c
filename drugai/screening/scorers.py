"""A specification becomes a scorer, and a scored chunk becomes columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from drugai.contracts import Predictions, Predictor, Scorer, Scores, Task
from drugai.errors import E_VALUE, ConfigError, reason
from drugai.featurizers.graph_store import GraphStore, without
from drugai.molecules import LibraryChunk, MoleculeBatch
from drugai.predictors.sharing import share_trunks
from drugai.screening.cascade import AUDITED, Cascade, make_cascade, read_cascade
from drugai.screening.plan import Column, Plan
from drugai.screening.specification import make_from_factory

_SAMPLE = 1000
_FEW = 64
_SUFFIXES = ("std", "lower", "upper")


class Recorder:
    """A predictor that keeps what it predicted for the current chunk, so that rows carry the spread and the other tasks too."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.tasks: tuple[Task, ...] = predictor.tasks
        self._last: tuple[tuple[str, ...], Predictions] | None = None

    def predict(self, molecules: Sequence[str] | MoleculeBatch) -> Predictions:
        """The predictor's own."""
        batch = MoleculeBatch.of(molecules)
        found = self.predictor.predict(batch)
        if self._last is None:  # terms come with ever fewer rows: the first call has them all
            self._last = (batch.smiles, found)
        return found

    def save(self, path: Any) -> Any:
        """The predictor's own."""
        return self.predictor.save(path)

    def take(self, batch: MoleculeBatch, keys: Sequence[str]) -> dict[str, np.ndarray]:
        """Columns ``[n]`` of the batch by their names in ``Predictions.to_columns``, NaN where a row was not predicted; then forget."""
        last, self._last = self._last, None
        out = {key: np.full(len(batch), np.nan, dtype=np.float32) for key in keys}
        if last is None:
            return out
        smiles, predictions = last
        rows = np.arange(len(batch)) if len(smiles) == len(batch) else _places(smiles, batch.smiles)
        columns = predictions.to_columns()
        for key in keys:
            out[key][rows] = columns[key]
        return out


def _places(part: Sequence[str], whole: Sequence[str]) -> np.ndarray:
    """Rows of ``whole`` of which ``part`` is a subsequence. Equal strings have equal predictions, so the first fit is as good as any."""
    rows, at = [], 0
    for smi in part:
        while whole[at] != smi:
            at += 1
        rows.append(at)
        at += 1
    return np.array(rows, dtype=np.int64)


class RankedModel:
    """A model that ranks alone by one task.

    The score of a regression task is ``1 / (1 + exp(-(x - center) / scale))``, or its mirror image for ``min``: strictly monotone, so that the order is that
    of the predictions even far out, which a ramp with fixed ends would level.
    """

    def __init__(self, predictor: Predictor, task: str, direction: str, center: float = 0.0, scale: float = 1.0) -> None:
        names = [found.name for found in predictor.tasks]
        self.predictor = predictor
        self.task = task
        self.column = names.index(task)
        self.kind = predictor.tasks[self.column].kind
        self.direction = direction
        self.center = center
        self.scale = scale

    def decide(self, sample: MoleculeBatch) -> dict[str, Any]:
        """Center and scale from the library's first molecules."""
        known = self.score(sample).raw[self.task]
        known = known[~np.isnan(known)]
        if len(known):
            self.center = round(float(np.median(known)), 6)
        spread = float(np.std(known)) if len(known) > 1 else 0.0
        self.scale = round(spread, 6) if spread > 1e-6 else 1.0
        return {"center": self.center, "scale": self.scale, "thresholds": []}

    def settle(self, center: float, scale: float, thresholds: Sequence[float | None]) -> None:
        """Take over what was decided."""
        self.center, self.scale = center, scale

    def score(self, molecules: Sequence[str] | MoleculeBatch) -> Scores:
        """Score n molecules."""
        batch = MoleculeBatch.of(molecules)
        found = self.predictor.predict(batch)
        raw = found.mean[:, self.column].astype(np.float64)
        if self.kind == "regression":
            signed = (raw - self.center) / self.scale * (1.0 if self.direction == "max" else -1.0)
            desirability = 1.0 / (1.0 + np.exp(-np.clip(signed, -30.0, 30.0)))
        else:
            desirability = raw if self.direction == "max" else 1.0 - raw
        return Scores(np.nan_to_num(desirability), {self.task: desirability}, {self.task: raw}, found.reasons)


class Scoring:
    """A scorer with the models whose predictions become columns beside its terms."""

    def __init__(self, scorer: Scorer, recorders: Sequence[Recorder] = ()) -> None:
        self.scorer = scorer
        self.recorders = list(recorders)
        self.store: GraphStore | None = None
        share_trunks([recorder.predictor for recorder in self.recorders])

    @classmethod
    def of(cls, plan: Plan) -> Scoring:
        """Rebuild the plan's scorer.

        Raises:
            ConfigError: The plan's scorer lives in the process that made it.
        """
        specification = plan.scorer
        kind = specification["kind"]
        if kind == "object":
            raise ConfigError("a scorer made in Python lives in its own process; pass it along, or write it as a TOML file")
        if kind == "factory":
            return cls(make_from_factory(specification["path"]))
        from drugai.predictors.loading import load_predictor

        recorders: list[Recorder] = []
        known: dict[str, Recorder] = {}

        def load(path: str) -> Recorder:
            if path not in known:
                known[path] = Recorder(load_predictor(path))
                recorders.append(known[path])
            return known[path]

        place = specification["path"]
        audit = max(1, plan.library.records // AUDITED)
        if kind == "cascade":
            scoring = cls(read_cascade(place, load, audit=audit), recorders)
        elif kind == "model" and specification.get("filters"):
            model = {"model": place, "task": specification["task"], "direction": specification["direction"]}
            scoring = cls(make_cascade([{"filters": specification["filters"]}, model], load, folder=Path(specification.get("folder", ".")), where="filters"), recorders)
        elif kind == "model":
            recorder = load(place)
            scoring = cls(RankedModel(recorder, specification["task"], specification["direction"], plan.center, plan.scale), recorders)
        else:
            from drugai.scoring import read_scorer

            scoring = cls(read_scorer(place, load), recorders)
        scoring.settle(plan)
        return scoring

    def prepare(self, plan: Plan, chunk: LibraryChunk) -> MoleculeBatch:
        """The molecules of a chunk with what the scorer surely needs of them: parsed, or featurized, or their graphs out of the store."""
        alone = self.recorders[0].predictor if isinstance(self.scorer, RankedModel) else None
        batch = chunk.batch(plan.caps, plan.trusted, transient=bool(getattr(alone, "reads_mols_once", False)))
        if self.store is not None:
            batch.preset("graphs", without(self.store.read(chunk.start, chunk.start + len(chunk)), chunk.reasons))
        if alone is None:
            batch.mols  # noqa: B018 - every other scorer parses first, and its terms may need nothing more of most molecules
        elif hasattr(alone, "featurize"):
            alone.featurize(batch)
        return batch

    def settle(self, plan: Plan) -> None:
        """Take over what was decided for the run."""
        if plan.graphs is not None and self.store is None:
            self.store = GraphStore(plan.graphs["path"])
            self.store.check(plan.to_dict()["library"], plan.to_dict()["caps"], plan.trusted)
        if not plan.decided:
            return
        if isinstance(self.scorer, (RankedModel, Cascade)):
            self.scorer.settle(plan.center, plan.scale, plan.thresholds)
        for recorder in self.recorders:
            if hasattr(recorder.predictor, "networks"):
                recorder.predictor.to(plan.device, plan.precision)  # type: ignore[attr-defined]

    def decide(self, plan: Plan, batch: MoleculeBatch, full: bool) -> dict[str, Any]:
        """Precision, center and scale from the library's first molecules, and the columns that a shard will have."""
        from drugai.predictors.streaming import choose_precision

        # a model that ranks alone, and the check of bf16, take the first thousand; a share of a cascade is cut on all that were given
        first = batch.take(np.arange(min(_SAMPLE, len(batch))))
        alone = isinstance(self.scorer, RankedModel)
        if alone and self.store is not None:
            first.preset("graphs", without(self.store.read(0, len(first)), first.given_reasons))
        networks = [recorder.predictor for recorder in self.recorders if hasattr(recorder.predictor, "networks")]
        for model in networks[:1]:
            model.featurize(first)  # type: ignore[attr-defined]
        found = [choose_precision(model, first, plan.precision, plan.device, full=full) for model in networks]  # type: ignore[arg-type]
        precision = "bf16" if found and all(name == "bf16" for name in found) else "fp32"
        for model in networks:
            model.to(precision=precision)  # type: ignore[attr-defined]
        device = str(getattr(networks[0], "device", "cpu")) if networks else "cpu"
        if isinstance(self.scorer, (RankedModel, Cascade)):
            decided = self.scorer.decide(first if alone else batch)
        else:
            decided = {"center": 0.0, "scale": 1.0, "thresholds": []}
        few = first.take(np.arange(min(_FEW, len(first))))  # to see the columns, a few molecules are enough
        columns = [asdict(column) for column in self.columns(plan, few if not isinstance(self.scorer, Cascade) else first)]
        return {"precision": precision, "device": device, **decided, "columns": columns}

    def columns(self, plan: Plan, sample: MoleculeBatch) -> tuple[Column, ...]:
        """The columns of a shard, their names made distinct."""
        self.forget()
        scores = self.scorer.score(sample)
        columns = [Column("index", "index"), Column("id", "id"), Column("smiles", "smiles")]
        columns += [Column(name, "kept", key=name) for name in plan.keep]
        columns.append(Column("total", "total"))
        for term in scores.parts:
            columns += [Column(term, "raw", term=term), Column(f"{term}_score", "score", term=term)]
        columns += [Column(name, "audit", term=name) for name in scores.raw if name not in scores.parts]
        for number, recorder in enumerate(self.recorders):
            columns = self._with_predictions(columns, number, recorder, sample, scores)
        columns.append(Column("reason", "reason"))
        return _distinct(columns)

    @staticmethod
    def _with_predictions(columns: list[Column], number: int, recorder: Recorder, sample: MoleculeBatch, scores: Scores) -> list[Column]:
        keys = [key for key in recorder.predictor.predict(["C"]).to_columns() if key != "reason"]
        values = recorder.take(sample, keys)
        for key in keys:
            task = max((task for task in recorder.tasks if key == task.name or key.startswith(f"{task.name}_")), key=lambda task: len(task.name), default=None)
            name, unit = (task.name, task.unit) if task else ("", "")
            role = "domain" if task is None else "mean" if key == name else next((end for end in _SUFFIXES if key == f"{name}_{end}"), "probability")
            if role == "mean" and key in scores.raw and np.array_equal(scores.raw[key].astype(np.float32), values[key], equal_nan=True):
                columns = [Column(c.name, c.role, c.term, name, unit) if c.role == "raw" and c.term == key else c for c in columns]
                continue
            columns.append(Column(key, role, task=name, unit=unit, model=number, key=key))
        return columns

    def rows(self, plan: Plan, batch: MoleculeBatch) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
        """The computed columns ``[n]`` of a chunk (total float64, others float32) and n reasons."""
        self.forget()
        scores = self.scorer.score(batch)
        if len(scores) != len(batch):
            raise ConfigError(f"the scorer gave {len(scores)} rows for {len(batch)} molecules; it must give one a molecule")
        wanted = [[c.key for c in plan.columns if c.model == number] for number in range(len(self.recorders))]
        taken = [recorder.take(batch, keys) for recorder, keys in zip(self.recorders, wanted, strict=True)]
        total = np.asarray(scores.total, dtype=np.float64)
        reasons = [why or ("" if value == value else reason(E_VALUE, "the total is no number (NaN)")) for why, value in zip(scores.reasons, total, strict=True)]
        bad = np.array([bool(why) for why in reasons], dtype=bool)
        out: dict[str, np.ndarray] = {}
        for column in plan.columns:
            if column.role == "total":
                out[column.name] = np.where(bad, 0.0, total)
            elif column.role in ("raw", "audit"):
                out[column.name] = np.asarray(scores.raw[column.term], dtype=np.float32)
            elif column.role == "score":
                out[column.name] = np.asarray(scores.parts[column.term], dtype=np.float32)
            elif column.model >= 0:
                out[column.name] = taken[column.model][column.key]
        return out, tuple(reasons)

    def forget(self) -> None:
        """Drop what an earlier chunk, perhaps one that failed midway, left in the recorders."""
        for recorder in self.recorders:
            recorder._last = None


def _distinct(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Names made distinct: the second ``qed`` becomes ``qed_2``."""
    seen: set[str] = set()
    out = []
    for column in columns:
        name, count = column.name, 1
        while name in seen:
            count += 1
            name = f"{column.name}_{count}"
        seen.add(name)
        out.append(Column(name, column.role, column.term, column.task, column.unit, column.model, column.key))
    return tuple(out)
