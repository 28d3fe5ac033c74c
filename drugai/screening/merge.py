"""Shards → the best rows in order, and what is to be said of the whole library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from drugai.molecules.arrow import numbers_of, to_arrow
from drugai.screening.plan import Plan
from drugai.screening.shard import BINS, Shard, read_columns

VALUE_BINS = 40
"""Bins of a raw value, between its smallest and largest."""


def top_rows(plan: Plan, shards: Sequence[Shard], top: int) -> dict[str, Any]:
    """The ``top`` best rows of all shards: total descending, then index; rows with a total of 0 are no hits.

    Only totals are read of the shards that hold no hit. The result does not depend on the order in which shards were made.

    Returns:
        ``rank`` and the shards' columns: text as lists, numbers as arrays (NaN for null).
    """
    best = np.zeros((0, 3))  # total, index, shard; indices below 2^53 are exact
    for place, shard in enumerate(shards):
        found = read_columns(shard.path, ["index", "total"])
        total = numbers_of(found.column("total"))
        alive = np.flatnonzero(total > 0)
        if len(best) == top and len(alive):
            alive = alive[total[alive] >= best[-1, 0]] if top else alive[:0]
        rows = np.stack([total[alive], numbers_of(found.column("index"))[alive].astype(float), np.full(len(alive), float(place))], axis=1)
        best = np.concatenate([best, rows])
        best = best[np.lexsort((best[:, 1], -best[:, 0]))][:top]
    pieces: dict[int, dict[str, Any]] = {}  # index → row
    for place in sorted({int(value) for value in best[:, 2]}):
        wanted = best[best[:, 2] == place, 1].astype(np.int64)
        rows_of = read_columns(shards[place].path).take(to_arrow(np.sort(wanted) - shards[place].start)).to_pylist()
        pieces.update({row["index"]: row for row in rows_of})
    ordered = [pieces[int(index)] for index in best[:, 1]]
    out: dict[str, Any] = {"rank": np.arange(1, len(ordered) + 1)}
    for column in plan.columns:
        values = [row[column.name] for row in ordered]
        if column.role in ("id", "smiles", "kept", "reason"):
            out[column.name] = [value or "" for value in values]
        elif column.role == "index":
            out[column.name] = np.array(values, dtype=np.int64)
        else:
            dtype = np.float64 if column.role == "total" else np.float32
            out[column.name] = np.array([np.nan if value is None else value for value in values], dtype=dtype)
    return out


def add_up(plan: Plan, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The manifest rows of all shards as one: counts, reasons, histogram, terms, CPU seconds."""
    total: dict[str, Any] = {"n": 0, "n_bad": 0, "n_alive": 0}
    reasons: dict[str, int] = {}
    counts = np.zeros(BINS, dtype=np.int64)
    terms: dict[str, dict[str, Any]] = {
        column.term: {"name": column.term, "reached": 0, "passed": 0, "sum": 0.0} for column in plan.columns if column.role == "score"
    }
    cpu = 0.0
    for row in rows:
        for name in total:
            total[name] += row[name]
        for code, count in row["reasons"].items():
            reasons[code] = reasons.get(code, 0) + count
        counts += np.array(row["histogram"], dtype=np.int64)
        for name, of_term in row["terms"].items():
            for key in ("reached", "passed", "sum"):
                terms[name][key] += of_term[key]
        cpu += row["cpu_seconds"]
    for entry in terms.values():
        mean = entry.pop("sum") / entry["reached"] if entry["reached"] else None
        entry["mean_score"] = None if mean is None else round(mean, 4)
    return {
        "n": total["n"], "n_scored": total["n"] - total["n_bad"], "n_bad": total["n_bad"],
        "reasons": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        "n_alive": total["n_alive"], "histogram": counts.tolist(), "terms": list(terms.values()), "cpu_seconds": round(cpu, 2),
    }  # fmt: skip


def value_histograms(plan: Plan, shards: Sequence[Shard], hits: Mapping[str, Any]) -> dict[str, Any]:
    """Histograms of raw values and predictions over the whole library and over the hits; the ends come from the files' own statistics."""
    import pyarrow.parquet as pq

    names = [column.name for column in plan.columns if column.role in ("raw", "mean")]
    ends = dict.fromkeys(names, (np.inf, -np.inf))
    for shard in shards:
        metadata = pq.read_metadata(shard.path)
        place = {metadata.schema.column(k).path: k for k in range(metadata.num_columns)}
        for group in range(metadata.num_row_groups):
            for name in names:
                found = metadata.row_group(group).column(place[name]).statistics if name in place else None
                if found is not None and found.has_min_max:
                    ends[name] = (min(ends[name][0], found.min), max(ends[name][1], found.max))
    edges = {name: np.linspace(low, high if high > low else low + 1, VALUE_BINS + 1) for name, (low, high) in ends.items() if np.isfinite([low, high]).all()}
    counts = {name: np.zeros(VALUE_BINS, dtype=np.int64) for name in edges}
    for shard in shards if edges else ():
        table = read_columns(shard.path, list(edges))
        for name in edges:
            counts[name] += count_between(numbers_of(table.column(name)), edges[name])
    return {
        name: {
            "min": float(ends[name][0]), "max": float(ends[name][1]), "edges": [round(float(edge), 6) for edge in edges[name]],
            "counts": counts[name].tolist(), "hits": count_between(hits[name], edges[name]).tolist(),
        }
        for name in edges
    }  # fmt: skip


def count_between(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Counts between ``edges``; the last bin holds its right end, NaN is left out, and what rounding puts outside goes to the outermost bin."""
    known = np.asarray(values, dtype=np.float64)
    known = np.clip(known[np.isfinite(known)], edges[0], edges[-1])
    return np.histogram(known, bins=edges)[0]
