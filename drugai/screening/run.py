"""``screen``: a library and a scorer in, the best molecules out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drugai.errors import ConfigError, unknown
from drugai.molecules import Caps, LibraryIndex, MoleculeBatch
from drugai.runtime import defer_interrupts, divide_threads
from drugai.screening.building import open_store
from drugai.screening.finishing import Effort, finish
from drugai.screening.folder import RunFolder
from drugai.screening.hits import Hits
from drugai.screening.mirror import Mirror, scratch_of
from drugai.screening.plan import CHUNK, Plan
from drugai.screening.planning import make_plan
from drugai.screening.process import resident
from drugai.screening.records import read_chunks
from drugai.screening.scorers import Scoring
from drugai.screening.selection import read_actives
from drugai.screening.shard import Shard, screen_shard
from drugai.screening.specification import specify
from drugai.screening.supervisor import Supervisor
from drugai.stores import is_remote

if TYPE_CHECKING:
    from drugai.contracts import Scorer
    from drugai.screening.ray_engine import RayEngine

log = logging.getLogger(__name__)

OnProgress = Callable[[int, int], None]
FORMATS = ("csv", "parquet", "sdf", "tsv", "smi")


def screen(
    library: str | Path,
    scorer: Scorer | str | Path,
    *,
    out: str | Path,
    top: int = 1000,
    rank_by: str | None = None,
    filters: Sequence[Mapping[str, Any]] = (),
    workers: int = 1,
    shard_size: int = 100_000,
    shard_slice: tuple[int, int] | None = None,
    smiles: str | None = None,
    ids: str | None = None,
    keep: Sequence[str] = (),
    trusted: bool = False,
    caps: Caps | None = None,
    graphs: str | Path | None = None,
    precision: str = "auto",
    device: str = "auto",
    diverse: int = 0,
    actives: str | Path | Sequence[str] | None = None,
    labels: str | None = None,
    formats: Sequence[str] = ("csv", "parquet"),
    max_errors: int | None = None,
    deadline: float = 300.0,
    memory_gb: float = 4.0,
    chunk: int = CHUNK,
    engine: str = "local",
    ray_address: str | None = None,
    gpus_per_worker: float = 0.0,
    scratch: str | Path | None = None,
    on_progress: OnProgress | None = None,
) -> Hits:
    """Score a library of any size and keep the best, in flat memory; the same call continues a run that was stopped or killed.

    Every row stands in a shard of the run folder with its total, its terms and, if it could not be used, the reason. The hits are the same bytes for every
    number of workers and however often the run was killed.

    Args:
        library: File, its URI or a card's name; SMILES, CSV, TSV, SDF or Parquet, gzipped or not.
        scorer: A model's folder, the TOML file of a scorer or of a cascade (:mod:`drugai.screening.cascade`), ``"module:function"`` or ``"file.py:function"`` that makes a Scorer; these run in worker processes,
            which survive a molecule that crashes, hangs or eats memory. A Scorer made in Python runs in this process, unguarded.
        out: Folder of the run, or its URI in an object store (``s3://bucket/run``).
        top: Hits to keep.
        rank_by: For a model: ``TASK:max`` or ``TASK:min``.
        filters: For a model: terms, as in a scorer's file, that a molecule must pass before the model sees it, for example
            ``[{"kind": "property", "property": "weight", "transform": "step", "high": 500}, {"kind": "alerts", "sets": ["PAINS"]}]``.
        workers: Processes.
        shard_size: Records a shard; what a killed run loses is at most one shard a worker.
        shard_slice: (i, n): only the shards k with k mod n = i, for job arrays that share one folder. The same call without it then gives the hits.
        smiles, ids: Columns; inferred by name.
        keep: Columns of the library to carry over.
        trusted: The SMILES are RDKit's own canonical ones.
        caps: Limits of what is worked on.
        graphs: Store that :func:`~drugai.screening.building.build_library` made of this library, from which graph networks take their input; the rows are the same
            as without it.
        precision, device: As for prediction; decided once and kept in ``run.json``.
        diverse: Hits to mark as a diverse pick.
        actives: Known actives (SMILES or a file): hits get their similarity to the nearest.
        labels: Column with 1 for actives and 0 for inactives: enrichment goes into the summary.
        formats: Of the hits: csv, parquet (always), sdf, tsv, smi.
        max_errors: More unusable rows than this are an error in the log; the command line then ends with status 3.
        deadline: Seconds that 4,096 molecules may take.
        memory_gb: GB that a worker may take beside its models.
        chunk: Molecules scored together.
        engine: ``local``: processes of this machine; ``ray``: Ray actors, here or on a cluster, with the same bytes as result (see
            :mod:`drugai.screening.ray_engine`).
        ray_address, gpus_per_worker: Of the cluster, and what Ray reserves for each worker.
        scratch: Folder of this machine for a run whose ``out`` is a URI; by default one in the user's cache, named after it.
        on_progress: Called with (records done, records in all).

    Raises:
        ConfigError: A setting does not fit, the folder holds another run or is in use.
        DatasetError: The library cannot be read, or the disk is full.
        KeyboardInterrupt: Ctrl-C or SIGTERM; what is finished is kept.

    Example:
        >>> hits = screen("library.smi.gz", "runs/egfr", rank_by="pIC50:max", top=1000, out="runs/hits", workers=2)   # doctest: +SKIP
    """
    _check(top, workers, shard_size, shard_slice, diverse, formats, deadline, memory_gb, chunk)
    effort = Effort(time.perf_counter())
    known_actives = read_actives(actives) if actives is not None else None
    specification, models = specify(scorer, rank_by, filters)
    in_process = specification["kind"] == "object"
    if engine not in ("local", "ray"):
        raise unknown("engine", engine, ("local", "ray"))
    if in_process and (workers > 1 or engine == "ray"):
        raise ConfigError(
            f"workers={workers}, engine={engine!r}: a scorer made in Python runs in this process alone; give it as a TOML file or as 'module:function', "
            "or leave workers at 1 and the engine local"
        )
    mirror = None
    if is_remote(out):
        mirror = Mirror(str(out), Path(scratch) if scratch is not None else scratch_of(str(out), shard_slice))
        out = mirror.folder
        mirror.fetch()
    folder = RunFolder(out, mirror)
    with folder.locked(shard_slice):
        plan, index = make_plan(
            folder, library, smiles=smiles, ids=ids, keep=tuple(dict.fromkeys([*keep, *([labels] if labels else [])])), scorer=specification, models=models,
            caps=caps or Caps(), trusted=trusted, shard_size=shard_size, chunk=chunk, precision=precision, device=device,
        )  # fmt: skip
        if graphs is not None:
            plan = replace(plan, graphs=open_store(graphs, plan))
        with defer_interrupts() as stopped:
            scoring = Scoring(scorer) if in_process else None  # type: ignore[arg-type]
            progress = Progress(plan, on_progress)
            if scoring is not None:
                plan, rows = _screen_here(folder, plan, index, scoring, shard_slice, effort, stopped, progress)
            else:
                plan, rows = _screen_in_workers(
                    folder, plan, index, shard_slice, effort, stopped, progress, workers=workers, deadline=deadline, memory=int(memory_gb * 2**30),
                    ray=None if engine == "local" else {"address": ray_address, "gpus": gpus_per_worker},
                )  # fmt: skip
            if stopped():
                done = len(rows)
                log.warning("stopped; %d of %d shards are finished and kept in %s, the same command continues", done, plan.n_shards, folder.path)
                raise KeyboardInterrupt
            return finish(folder, plan, rows, effort, top=top, workers=workers, formats=formats, diverse=diverse, actives=known_actives, labels=labels,
                           max_errors=max_errors, partial=shard_slice is not None)  # fmt: skip


def _check(
    top: int,
    workers: int,
    shard_size: int,
    shard_slice: tuple[int, int] | None,
    diverse: int,
    formats: Sequence[str],
    deadline: float,
    memory_gb: float,
    chunk: int,
) -> None:
    problems = [
        f"{name}={value} must be at least 1" for name, value in (("top", top), ("workers", workers), ("shard_size", shard_size), ("chunk", chunk)) if value < 1
    ]
    if diverse < 0:
        problems.append(f"diverse={diverse} must not be negative")
    if deadline <= 0 or memory_gb <= 0:
        problems.append(f"deadline={deadline} and memory_gb={memory_gb} must be positive")
    if shard_slice is not None and not 0 <= shard_slice[0] < shard_slice[1]:
        problems.append(f"shard_slice={shard_slice[0]}/{shard_slice[1]}: need 0 <= i < n")
    problems += [f"format {name!r} is not one of {', '.join(FORMATS)}" for name in formats if name not in FORMATS]
    if problems:
        raise ConfigError("; ".join(problems))


def _screen_here(
    folder: RunFolder,
    plan: Plan,
    index: LibraryIndex,
    scoring: Scoring,
    shard_slice: tuple[int, int] | None,
    effort: Effort,
    stopped: Callable[[], bool],
    progress: Progress,
) -> tuple[Plan, list[dict[str, Any]]]:
    if not plan.decided:
        part = next(read_chunks(plan, 0, min(CHUNK, plan.library.records), chunk=CHUNK, index=index), None)
        plan = plan.decide(scoring.decide(plan, part.batch(plan.caps, plan.trusted) if part else MoleculeBatch([]), full=False))
        plan = folder.settle(plan)

    def between(at: int) -> None:
        effort.peak = max(effort.peak, resident("self"))
        progress.within(shard.number, at - shard.start)
        if stopped():
            raise _Stop

    scoring.settle(plan)
    rows, todo = _resume(folder, plan, shard_slice, progress)
    for shard in todo:
        try:
            row = screen_shard(plan, shard, scoring, index=index, on_chunk=between)
        except _Stop:
            break
        rows.append(_keep(folder, shard, row, effort, progress))
    return plan, rows


def _screen_in_workers(
    folder: RunFolder, plan: Plan, index: LibraryIndex, shard_slice: tuple[int, int] | None, effort: Effort, stopped: Callable[[], bool], progress: Progress,
    *, workers: int, deadline: float, memory: int, ray: dict[str, Any] | None,
) -> tuple[Plan, list[dict[str, Any]]]:  # fmt: skip
    engine: Supervisor | RayEngine
    if ray is None:
        engine = Supervisor(
            plan, index, workers=workers, threads=divide_threads(workers), deadline=deadline, memory=memory, stopped=stopped, on_records=progress.within
        )
    else:
        from drugai.screening.ray_engine import RayEngine

        engine = RayEngine(plan, index, workers=workers, threads=1, deadline=deadline, memory=memory, stopped=stopped, **ray)
    with engine as supervisor:
        if not plan.decided:
            plan = supervisor.decide()
            if not plan.decided:  # stopped before it was
                return plan, []
            plan = supervisor.adopt(folder.settle(plan))
        rows, todo = _resume(folder, plan, shard_slice, progress)
        for shard, row in supervisor.run(todo):
            rows.append(_keep(folder, shard, row, effort, progress))
        effort.replaced, effort.peak = supervisor.replaced, supervisor.peak
    return plan, rows


def _resume(folder: RunFolder, plan: Plan, shard_slice: tuple[int, int] | None, progress: Progress) -> tuple[list[dict[str, Any]], list[Shard]]:
    """Manifest rows of the shards that verify, and the shards that are to be done."""
    mine = [shard for shard in folder.all_shards(plan) if shard_slice is None or shard.number % shard_slice[1] == shard_slice[0]]
    folder.clean(mine)
    rows, todo = [], []
    for shard in mine:
        row = folder.finished(plan, shard)
        if row is None:
            todo.append(shard)
        else:
            rows.append(row)
            progress.finished(shard.number, row["n"])
    if rows:
        log.info("%d of %d shards are there already and verify", len(rows), len(mine))
    return rows, todo


def _keep(folder: RunFolder, shard: Shard, row: dict[str, Any], effort: Effort, progress: Progress) -> dict[str, Any]:
    folder.write_row(shard, row)
    effort.computed += 1
    effort.molecules += row["n"]
    progress.finished(shard.number, row["n"])
    log.info("shard %d is done", shard.number, extra={"fields": {"shard": shard.number, "n": row["n"], "bad": row["n_bad"], "seconds": row["seconds"]}})
    return row


class _Stop(Exception):
    """A signal came while this process was scoring."""


class Progress:
    """Adds up what the workers have done."""

    def __init__(self, plan: Plan, report: OnProgress | None) -> None:
        self.total = plan.library.records
        self.report = report
        self.done: dict[int, int] = {}

    def within(self, shard: int, records: int) -> None:
        """A shard is in work and that far."""
        self.done[shard] = records
        self._tell()

    def finished(self, shard: int, records: int) -> None:
        """A shard is done."""
        self.done[shard] = records
        self._tell()

    def _tell(self) -> None:
        if self.report is not None:
            self.report(sum(self.done.values()), self.total)
