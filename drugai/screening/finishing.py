"""The end of a run: merge, describe the top, write the hits and the summary."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drugai.artifact import write_text_atomically
from drugai.errors import ConfigError
from drugai.molecules import write_table
from drugai.molecules.arrow import numbers_of
from drugai.screening.cascade import cascade_sign, recall_of
from drugai.screening.folder import RunFolder
from drugai.screening.hits import Hits
from drugai.screening.merge import add_up, count_between, top_rows, value_histograms
from drugai.screening.plan import FORMAT, Plan
from drugai.screening.process import resident
from drugai.screening.selection import describe_top
from drugai.screening.shard import BINS, Shard, read_columns

log = logging.getLogger(__name__)


@dataclass
class Effort:
    """What this start of the run took."""

    begun: float
    computed: int = 0
    molecules: int = 0
    replaced: int = 0
    peak: int = 0


def finish(
    folder: RunFolder, plan: Plan, rows: list[dict[str, Any]], effort: Effort, *, top: int, workers: int, formats: Sequence[str], diverse: int,
    actives: list[str] | None, labels: str | None, max_errors: int | None, partial: bool,
) -> Hits:  # fmt: skip
    """Merge, describe and write."""
    rows = sorted(rows, key=lambda row: row["number"])
    done = {row["number"] for row in rows}
    shards = [shard for shard in folder.all_shards(plan) if shard.number in done]
    table = top_rows(plan, shards, top)
    table |= describe_top(table["smiles"], diverse=diverse, actives=actives)
    sums = add_up(plan, rows)
    seconds = time.perf_counter() - effort.begun
    edges = np.linspace(0.0, 1.0, BINS + 1)
    histogram = {"edges": edges.round(6).tolist(), "counts": sums.pop("histogram"), "hits": count_between(table["total"], edges).tolist()}
    files = {name: f"hits.{name}" for name in dict.fromkeys(["parquet", *formats])}
    summary: dict[str, Any] = {
        "format": FORMAT, "library": plan.library.name, "scorer": _words(plan), **sums, "top": top, "n_hits": len(table["rank"]),
        "cutoff": float(table["total"][-1]) if len(table["total"]) else None, "histogram": histogram, "columns": value_histograms(plan, shards, table),
        "shards": {"n": len(rows), "computed": effort.computed, "skipped": len(rows) - effort.computed}, "workers": workers, "precision": plan.precision,
        "replaced": effort.replaced, "seconds": round(seconds, 2), "rate": round(effort.molecules / seconds, 1),
        "peak_memory_mb": round(max(effort.peak, resident("self")) / 2**20), "files": files,
    }  # fmt: skip
    if any(column.role == "audit" for column in plan.columns):
        summary["recall"] = _recall(plan, shards, top / max(1, sums["n"]))
    if labels is not None:
        summary["enrichment"] = _enrichment(plan, shards, labels)
    if max_errors is not None and summary["n_bad"] > max_errors:
        log.error("%d rows could not be used, more than max_errors=%d", summary["n_bad"], max_errors)
    if partial:
        return Hits(table, summary, folder.path, complete=False)
    for name in files.values():
        write_table(folder.path / name, table)
    write_text_atomically(folder.path / "summary.json", json.dumps(summary, indent=1) + "\n")
    if folder.mirror is not None:
        folder.mirror.put_results([*files.values(), "summary.json"])
    return Hits(table, summary, folder.path)


def _recall(plan: Plan, shards: Sequence[Shard], share: float) -> dict[str, Any] | None:
    """What the cascade kept of the audited molecules that the full model likes best, at the share of the library that the hits are."""
    name = next(column.name for column in plan.columns if column.role == "audit")
    tables = [read_columns(shard.path, ["total", name]) for shard in shards]
    total, audit = (np.concatenate([numbers_of(table.column(each)) for table in tables] or [np.zeros(0)]) for each in ("total", name))
    return recall_of(audit, total, cascade_sign(plan.scorer["path"]), share)


def _enrichment(plan: Plan, shards: Sequence[Shard], labels: str) -> dict[str, Any]:
    from drugai.metrics.enrichment import enrichment_summary

    name = next(column.name for column in plan.columns if column.role == "kept" and column.key == labels)
    totals, active = [], []
    for shard in shards:
        table = read_columns(shard.path, ["total", name])
        totals.append(numbers_of(table.column("total")))
        active.append(np.array([_label(cell, labels) for cell in table.column(name).to_pylist()], dtype=np.float32))
    return enrichment_summary(np.concatenate(active), np.concatenate(totals))


def _label(cell: str, labels: str) -> float:
    text = cell.strip().lower()
    if text in ("1", "1.0", "true", "active", "yes"):
        return 1.0
    if text in ("0", "0.0", "false", "inactive", "no", "decoy"):
        return 0.0
    if text in ("", "nan"):
        return float("nan")
    raise ConfigError(f"labels={labels!r}: {cell!r} is neither 1 nor 0 (nor true, false, active, inactive)")


def _words(plan: Plan) -> str:
    scorer = plan.scorer
    if scorer["kind"] == "model":
        return f"{scorer['task']}:{scorer['direction']} of {Path(scorer['path']).name}"
    return str(scorer.get("words") or Path(scorer["path"]).name)
