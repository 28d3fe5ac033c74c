"""``drugai library build``: the graphs of a library on disk, made by the same supervised workers that screen."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from drugai.errors import ConfigError
from drugai.featurizers.graph_store import GraphStore, write_manifest
from drugai.molecules import Caps
from drugai.runtime import defer_interrupts, divide_threads
from drugai.screening.folder import RunFolder
from drugai.screening.plan import CHUNK, Column, Plan
from drugai.screening.planning import make_plan
from drugai.screening.supervisor import Supervisor

log = logging.getLogger(__name__)

GRAPHS = {"kind": "graphs", "sha256": ""}
"""What stands in the plan where a run has its scorer."""


@dataclass(frozen=True)
class BuiltLibrary:
    """What became of a library: its store, records, unusable ones by reason, and bytes of all parts."""

    path: Path
    n: int
    reasons: dict[str, int]
    bytes: int
    computed: int
    seconds: float

    def __str__(self) -> str:
        bad = ", ".join(f"{count:,} {code}" for code, count in self.reasons.items())
        return (
            f"{self.n:,} molecules → {self.path}, {self.bytes / 2**20:,.1f} MB ({self.bytes / max(self.n, 1):.0f} bytes a molecule)"
            f"{f'; {sum(self.reasons.values()):,} could not be used: {bad}' if bad else ''}"
        )


def build_library(
    library: str | Path,
    out: str | Path,
    *,
    workers: int = 1,
    shard_size: int = 100_000,
    smiles: str | None = None,
    trusted: bool = False,
    caps: Caps | None = None,
    deadline: float = 300.0,
    memory_gb: float = 4.0,
    on_progress: Callable[[int, int], None] | None = None,
) -> BuiltLibrary:
    """Make the graphs of a library once, so that every later screen by graph networks reads them instead of parsing.

    The same call continues a build that was stopped or killed. A molecule that crashes, hangs or eats memory costs its row alone, as in a screen.

    Args:
        library: File or a card's name.
        out: Folder of the store.
        workers: Processes.
        shard_size: Records a part.
        smiles: Column; inferred by name.
        trusted: The SMILES are RDKit's own canonical ones.
        caps: Limits of what is worked on.
        deadline, memory_gb: Of a worker, as for :func:`~drugai.screening.run.screen`.
        on_progress: Called with (records done, records in all).

    Raises:
        ConfigError: The folder holds the store of another library or is in use.
        DatasetError: The library cannot be read, or the disk is full.

    Example:
        >>> build_library("library.smi.gz", "library.graphs", workers=2)   # doctest: +SKIP
        >>> screen("library.smi.gz", "runs/egfr", out="runs/hits", graphs="library.graphs")   # doctest: +SKIP
    """
    if workers < 1 or shard_size < 1:
        raise ConfigError(f"workers={workers} and shard_size={shard_size} must be at least 1")
    begun = time.perf_counter()
    folder = RunFolder(out)
    with folder.locked():
        plan, index = make_plan(
            folder, library, smiles=smiles, ids=None, keep=(), scorer=dict(GRAPHS), models=(), caps=caps or Caps(), trusted=trusted,
            shard_size=shard_size, chunk=CHUNK, precision="fp32", device="cpu",
        )  # fmt: skip
        plan = folder.settle(replace(plan, columns=(Column("index", "index"),)))
        shards = folder.all_shards(plan)
        folder.clean(shards)
        rows = {shard.number: row for shard in shards if (row := folder.finished(plan, shard)) is not None}
        todo = [shard for shard in shards if shard.number not in rows]
        done = sum(row["n"] for row in rows.values())
        with defer_interrupts() as stopped:
            with Supervisor(
                plan, index, workers=workers, threads=divide_threads(workers), deadline=deadline, memory=int(memory_gb * 2**30), stopped=stopped
            ) as supervisor:
                for shard, row in supervisor.run(todo):
                    folder.write_row(shard, row)
                    rows[shard.number] = row
                    done += row["n"]
                    if on_progress is not None:
                        on_progress(done, plan.library.records)
            if stopped():
                log.warning("stopped; %d of %d parts are finished and kept in %s, the same command continues", len(rows), len(shards), folder.path)
                raise KeyboardInterrupt
        _finish(folder, plan, [rows[shard.number] for shard in shards])
    reasons: dict[str, int] = {}
    for row in rows.values():
        for code, count in row["reasons"].items():
            reasons[code] = reasons.get(code, 0) + count
    size = sum(row["bytes"] for row in rows.values())
    return BuiltLibrary(folder.path, plan.library.records, dict(sorted(reasons.items())), size, len(todo), time.perf_counter() - begun)


def _finish(folder: RunFolder, plan: Plan, rows: list[dict[str, Any]]) -> None:
    parts = [{"file": f"shards/{row['file']}", **{key: row[key] for key in ("start", "stop", "sha256", "bytes")}} for row in rows]
    values = plan.to_dict()
    library = {key: values["library"][key] for key in ("name", "sha256", "records", "smiles")}
    write_manifest(folder.path, parts, library=library, caps=values["caps"], trusted=plan.trusted)


def open_store(path: str | Path, plan: Plan) -> dict[str, str]:
    """What a plan says of a store that fits it.

    Raises:
        ArtifactError: It does not fit, or is not finished.
    """
    store = GraphStore(path)
    values = plan.to_dict()
    store.check(values["library"], values["caps"], plan.trusted)
    return {"path": str(Path(path).resolve()), "sha256": store.checksum}

