"""``propose``: which molecules of a library to measure next; and when the values come back, the next round from the model that has learned them."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from drugai.artifact import is_artifact, write_text_atomically
from drugai.contracts import Dataset
from drugai.data import read_dataset
from drugai.errors import ArtifactError, ConfigError
from drugai.molecules import MoleculeBatch, fingerprint, nearest, write_table
from drugai.predictors.loading import load_predictor
from drugai.runtime import derive_seed
from drugai.screening.acquisition import NEED_SPREAD, STRATEGIES, acquire, pick
from drugai.screening.folder import RunFolder
from drugai.screening.plan import Plan
from drugai.screening.run import screen
from drugai.screening.specification import specify
from drugai.training.continuing import continue_fit, join, source_of

log = logging.getLogger(__name__)

POOL = 20
"""Molecules held for each to be picked: the best by the strategy, of which similar and measured ones are then passed over."""
LEAST_POOL = 2000


@dataclass(frozen=True, eq=False)
class Proposal:
    """The next batch.

    Attributes:
        table: ``rank``, ``id``, ``smiles``, the task's mean and std, ``acquisition``, ``nearest_measured`` (Tanimoto similarity, if what was measured is known), ``cost``,
            and an empty column named like the task with ``measured_`` in front, for the values to come.
        summary: What was asked and done.
        path: The folder.
    """

    table: dict[str, Any] = field(repr=False)
    summary: dict[str, Any] = field(repr=False)
    path: Path

    def __len__(self) -> int:
        return len(self.table["rank"])

    @property
    def smiles(self) -> list[str]:
        """SMILES to measure, in their order."""
        return list(self.table["smiles"])


def propose(
    library: str | Path,
    model: str | Path,
    *,
    out: str | Path,
    n: int = 96,
    strategy: str = "ucb",
    rank_by: str | None = None,
    beta: float = 1.0,
    most_similar: float = 1.0,
    cost: str | None = None,
    budget: float | None = None,
    measured: str | Path | Dataset | None = None,
    best: float | None = None,
    seed: int = 0,
    **options: Any,
) -> Proposal:
    """Pick the next batch to measure from a library of any size.

    The library is screened by the model (in ``out/screen``; resumes like any screen), each molecule gets the strategy's value, and the best are taken that are new, affordable and not too alike.

    Args:
        library: File or a card's name.
        model: Folder of a model.
        out: Folder of the round.
        n: Molecules to propose.
        strategy: ``greedy``, ``ucb``, ``ei``, ``thompson`` or ``random`` (:mod:`drugai.screening.acquisition`).
        rank_by: ``TASK:max`` or ``TASK:min``.
        beta: Weight of the spread in ``ucb``.
        most_similar: Largest Tanimoto similarity between two of the batch; below 1 makes it diverse.
        cost: Column of the library with the price of measuring each molecule.
        budget: What the batch may cost in all; without ``cost`` each molecule costs 1.
        measured: Values that came back (a file with SMILES and the task's column, or a ``proposals.csv`` with its column ``measured_<task>`` filled in): a model is trained on the
            model's old data and these, saved in ``out/model``, and used.
        best: Best value so far, for ``ei``; by default that of the data the model rests on.
        seed: Of random draws and of the fit.
        options: As for :func:`~drugai.screening.run.screen`: ``workers``, ``smiles``, ``trusted``, …

    Returns:
        The batch; fewer than ``n`` if the budget, the similarity or the library allows no more, which the summary says.

    Raises:
        ConfigError: A setting does not fit; the strategy needs a spread that the model does not give.
        ArtifactError: ``measured`` is given, and the model does not say what it was trained from.

    Example:
        >>> first = propose("library.smi.gz", "runs/egfr", n=96, strategy="ucb", most_similar=0.6, out="runs/round1")   # doctest: +SKIP
        >>> second = propose("library.smi.gz", "runs/egfr", measured="runs/round1/proposals.csv", n=96, out="runs/round2")   # doctest: +SKIP
    """
    if n < 1 or strategy not in STRATEGIES:
        raise ConfigError(f"n={n} must be at least 1" if n < 1 else f"strategy {strategy!r} is not one of {', '.join(STRATEGIES)}")
    folder = Path(out)
    specification, _ = specify(str(model), rank_by)
    if specification["kind"] != "model":
        raise ConfigError(f"{model}: propose needs the folder of a model")
    task, sign = specification["task"], 1.0 if specification["direction"] == "max" else -1.0
    known = _known(model, measured is not None)
    place = Path(model)
    if measured is not None:
        place, known = _learn(model, _values(measured, task, known), folder, seed)
    if strategy in NEED_SPREAD and load_predictor(place).predict(["C"]).std is None:
        raise ConfigError(f"strategy {strategy!r} needs a spread, and {place} gives none; train with two members or more, or take greedy")
    if strategy == "ei" and best is None:
        if known is None:
            raise ConfigError("strategy 'ei' needs the best value so far, and the model does not say what it was trained from; give best=")
        best = float(np.nanmax(sign * known.select([task]).y)) * sign
    keep = (*options.pop("keep", ()), *((cost,) if cost else ()))
    hits = screen(library, place, out=folder / "screen", top=1, rank_by=f"{task}:{specification['direction']}", keep=tuple(dict.fromkeys(keep)), **options)
    plan = RunFolder(hits.path).read_plan()
    pool = _pool(plan, hits.path, task, sign, strategy, best=best, beta=beta, seed=seed, size=max(POOL * n, LEAST_POOL), cost=cost, known=known)
    chosen, bits = _choose(pool, n, most_similar, budget)
    table = _table(pool, chosen, bits, task, known)
    summary = {
        "library": plan.library.name, "records": plan.library.records, "model": str(place), "task": task, "direction": specification["direction"], "strategy": strategy,
        "beta": beta, "best": best, "seed": seed, "most_similar": most_similar, "budget": budget, "spent": float(np.sum(table["cost"])), "asked": n, "proposed": len(chosen),
        "pool": len(pool["smiles"]), "known": 0 if known is None else len(known),
    }  # fmt: skip
    if len(chosen) < n:
        log.warning("%d of %d molecules are proposed: the budget, the similarity or the library allows no more", len(chosen), n)
    write_table(folder / "proposals.csv", table)
    write_text_atomically(folder / "proposals.json", json.dumps(summary, indent=1) + "\n")
    return Proposal(table, summary, folder)


def _known(model: str | Path, needed: bool) -> Dataset | None:
    """What the model was trained from, so that nothing is proposed that has been measured."""
    try:
        return source_of(load_predictor(model))
    except ArtifactError as error:
        if needed:
            raise
        log.warning("molecules that the model was trained from cannot be left out: %s", error)
        return None


def _values(measured: str | Path | Dataset, task: str, known: Dataset | None) -> Dataset:
    """The values that came back, as a data set of the model's tasks."""
    assert known is not None
    if isinstance(measured, Dataset):
        return measured
    from drugai.molecules import column_names

    names = column_names(measured)
    filled = f"measured_{task}"
    targets = [filled] if filled in names else [each.name for each in known.tasks if each.name in names]
    if not targets:
        raise ConfigError(f"{measured}: there is no column {task!r} or {filled!r} with the values; the columns are: {', '.join(names)}")
    found = read_dataset(measured, targets=targets, kinds=dict.fromkeys(targets, "regression") if known.tasks[0].kind == "regression" else None)
    y = np.full((len(found), len(known.tasks)), np.nan, dtype=np.float32)
    for column, name in enumerate(targets):
        y[:, [each.name for each in known.tasks].index(task if name == filled else name)] = found.y[:, column]
    rows = np.flatnonzero(~np.isnan(y).all(axis=1))
    if not len(rows):
        raise ConfigError(f"{measured}: the column {targets[0]!r} holds no value yet")
    return Dataset(Path(measured).name, found.smiles, y, known.tasks).take(rows)


def _learn(model: str | Path, values: Dataset, folder: Path, seed: int) -> tuple[Path, Dataset]:
    """The model that has learned the values, in ``folder/model``; a finished one of an earlier start is taken up."""
    place, table = folder / "model", folder / "measured_so_far.csv"
    data = join(source_of(load_predictor(model)), values)
    if is_artifact(place):
        found = load_predictor(place)
        if found.record.get("continued", {}).get("checksum") == data.checksum and found.record["continued"]["seed"] == seed:
            return place, data
        raise ConfigError(f"{place} rests on other measurements; use another folder for this round")
    predictor, data = continue_fit(model, values, seed=seed)
    columns: dict[str, Any] = {"smiles": list(data.smiles), **{task.name: data.y[:, column] for column, task in enumerate(data.tasks)}}
    write_table(table, columns)
    kinds = {task.name: task.kind for task in data.tasks}
    again = read_dataset(table, smiles="smiles", targets=list(kinds), kinds=kinds)
    predictor.record["source"] = {
        "data": str(table), "smiles": "smiles", "targets": list(kinds), "kinds": kinds,
        "split": {"method": "none: all that is measured trains", "fractions": [], "seed": seed, "column": None},
    }  # fmt: skip
    predictor.record["data"]["checksum"] = again.checksum  # a table holds no units: what is read back is what is compared
    predictor.record["continued"]["checksum"] = data.checksum
    predictor.save(place)
    return place, data


def _pool(
    plan: Plan, folder: Path, task: str, sign: float, strategy: str, *, best: float | None, beta: float, seed: int, size: int, cost: str | None, known: Dataset | None
) -> dict[str, Any]:  # fmt: skip
    """The molecules of the library with the highest values, without those that are measured: columns of at most ``size`` rows, best first."""
    import pyarrow.parquet as pq

    by_role = {(column.role, column.task or column.term): column.name for column in plan.columns}
    mean_name = by_role.get(("raw", task)) or by_role[("mean", task)]
    std_name = by_role.get(("std", task))
    cost_name = next((column.name for column in plan.columns if column.role == "kept" and column.key == cost), None)
    measured = {smi for smi in MoleculeBatch(known.smiles).canonical if smi} if known is not None else set()
    names = ["index", "id", "smiles", mean_name, *([std_name] if std_name else []), *([cost_name] if cost_name else [])]
    held: dict[str, list[Any]] = {name: [] for name in (*names, "acquisition")}
    values = np.zeros(0)
    for shard in RunFolder(folder).all_shards(plan):
        table = pq.read_table(shard.path, columns=names)
        mean = np.asarray(table.column(mean_name).to_numpy(), dtype=np.float64) * sign
        std = None if std_name is None else table.column(std_name).to_numpy()
        own = acquire(strategy, mean, std, best=None if best is None else best * sign, beta=beta, seed=derive_seed(seed, "shard", shard.number))
        # more than are held, since measured molecules and repeats are still among them
        rows = np.lexsort((np.arange(len(own)), -own))[: size + len(measured)]
        rows = rows[own[rows] > -np.inf]
        part = table.take(rows).to_pydict()
        for name in names:
            held[name] += part[name]
        values = np.concatenate([values, own[rows]])
        order = np.lexsort((np.array(held["index"], dtype=np.int64), -values))[: size + len(measured)]
        held = {name: [column[k] for k in order] for name, column in held.items() if name != "acquisition"} | {"acquisition": []}
        values = values[order]
    canonical, seen, fresh = MoleculeBatch(held["smiles"]).canonical, set(measured), []
    for row, smi in enumerate(canonical):
        if smi and smi not in seen:
            seen.add(smi)
            fresh.append(row)
    fresh = fresh[:size]
    return {
        "id": [held["id"][row] for row in fresh], "smiles": [held["smiles"][row] for row in fresh], "acquisition": values[fresh],
        "mean": np.array([held[mean_name][row] for row in fresh], dtype=np.float32),
        "std": None if std_name is None else np.array([held[std_name][row] for row in fresh], dtype=np.float32),
        "cost": np.ones(len(fresh)) if cost_name is None else _prices([held[cost_name][row] for row in fresh], str(cost)),
    }  # fmt: skip


def _prices(cells: Sequence[str], name: str) -> np.ndarray:
    try:
        return np.array([float(cell) for cell in cells])
    except ValueError as error:
        raise ConfigError(f"cost column {name!r}: {error}; give every molecule a number") from None


def _choose(pool: dict[str, Any], n: int, most_similar: float, budget: float | None) -> tuple[np.ndarray, np.ndarray]:
    bits = fingerprint(MoleculeBatch(pool["smiles"]), "morgan", bits=2048, radius=2)
    return pick(pool["acquisition"], n, bits=bits, most_similar=most_similar, costs=pool["cost"], budget=budget), bits


def _table(pool: dict[str, Any], chosen: np.ndarray, bits: np.ndarray, task: str, known: Dataset | None) -> dict[str, Any]:
    table: dict[str, Any] = {
        "rank": np.arange(1, len(chosen) + 1), "id": [pool["id"][row] for row in chosen], "smiles": [pool["smiles"][row] for row in chosen],
        f"predicted_{task}": pool["mean"][chosen], "acquisition": pool["acquisition"][chosen], "cost": pool["cost"][chosen],
    }  # fmt: skip
    if pool["std"] is not None:
        table[f"predicted_{task}_std"] = pool["std"][chosen]
    if known is not None and len(chosen):
        table["nearest_measured"] = nearest(bits[chosen], fingerprint(MoleculeBatch(known.smiles), "morgan", bits=2048, radius=2), 1)[0][:, 0]
    table[f"measured_{task}"] = [""] * len(chosen)
    return table
