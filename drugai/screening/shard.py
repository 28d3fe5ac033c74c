"""The unit of work: a range of records in, one Parquet file and its manifest row out. Every engine calls this function."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drugai.artifact import file_checksum
from drugai.errors import DatasetError, code_of
from drugai.molecules import LibraryChunk, LibraryIndex, MoleculeBatch
from drugai.molecules.arrow import numbers_of, texts_to_arrow, to_arrow
from drugai.molecules.writing import atomic_file
from drugai.screening.overlap import run_ahead
from drugai.screening.plan import Plan
from drugai.screening.records import read_chunks
from drugai.screening.scorers import Scoring

BINS = 50
"""Bins of the totals in [0, 1]."""
GROUP = 64
"""Molecules scored together where a whole chunk cannot be."""
_ROW_GROUP = 65_536

OnChunk = Callable[[int], None]


@dataclass(frozen=True)
class Shard:
    """Records [start, stop) and the file that they become."""

    number: int
    start: int
    stop: int
    path: Path

    @property
    def row_path(self) -> Path:
        """The manifest row beside the file."""
        return self.path.with_suffix(".json")

    @property
    def parts(self) -> Path:
        """Folder of chunks that are done already while the shard is in work, so that a worker that died costs one chunk."""
        return self.path.with_name(f".{self.path.stem}.parts")


def shards_of(plan: Plan, folder: Path) -> list[Shard]:
    """The shards of a plan, in the library's order."""
    size, n = plan.shard_size, plan.library.records
    suffix = "safetensors" if plan.scorer["kind"] == "graphs" else "parquet"
    return [Shard(k, k * size, min(n, (k + 1) * size), folder / f"shard_{k:05d}.{suffix}") for k in range(plan.n_shards)]


def screen_shard(
    plan: Plan,
    shard: Shard,
    scoring: Scoring | None = None,
    *,
    index: LibraryIndex | None = None,
    verdicts: Mapping[int, str] | None = None,
    grouped: Collection[int] = (),
    on_chunk: OnChunk | None = None,
    on_ahead: OnChunk | None = None,
) -> dict[str, Any]:
    """Score a shard and write its Parquet file: a function of the plan, the range and the verdicts alone.

    Args:
        plan: Decided.
        shard: The range and the file.
        scoring: The plan's scorer, if it was built already.
        index: Entry points of the library.
        verdicts: Record → reason of molecules that are not to be touched.
        grouped: First records of chunks that are scored in groups of 64, since they are too much at once.
        on_chunk: Called with the first record of each chunk (or group) before it is worked on.
        on_ahead: If given, the next chunk is read and featurized in a thread while this one is scored, and this is called with its first record.

    Returns:
        The manifest row, without its time.

    Raises:
        DatasetError: The disk is full, or the file has changed under the run.
    """
    scoring = scoring or Scoring.of(plan)
    on_chunk = on_chunk or (lambda at: None)
    begun, cpu = time.perf_counter(), time.process_time()
    starts = list(range(shard.start, shard.stop, plan.chunk))
    try:
        shard.parts.mkdir(parents=True, exist_ok=True)
        undone = [at for at in starts if not _part(shard, at).exists()]
        if undone:
            on_chunk(undone[0])
            chunks = read_chunks(plan, undone[0], shard.stop, chunk=plan.chunk, index=index, skip=verdicts)
            if on_ahead is not None and not grouped:
                for chunk, batch in run_ahead(_prepared(plan, scoring, shard, chunks, on_ahead)):
                    on_chunk(chunk.start)
                    if batch is not None:
                        _write_part(plan, _part(shard, chunk.start), [score_chunk(plan, scoring, chunk, batch)])
                chunks = iter(())
            for chunk in chunks:
                on_chunk(chunk.start)
                if not _part(shard, chunk.start).exists():
                    pieces = _grouped(chunk) if chunk.start in grouped else [chunk]
                    _write_part(plan, _part(shard, chunk.start), [_announced(plan, scoring, piece, on_chunk) for piece in pieces])
        if any(not _part(shard, at).exists() for at in starts):
            raise DatasetError(
                f"{plan.library.path}: has fewer records than when it was indexed ({plan.library.records}); it changed under the run. Start again"
            )
        row = _assemble(plan, shard, starts)
    except OSError as error:
        raise DatasetError(
            f"{shard.path.parent}: cannot be written ({error.strerror or error}); make room and start again, the finished shards are kept"
        ) from error
    return {**row, "seconds": round(time.perf_counter() - begun, 3), "cpu_seconds": round(time.process_time() - cpu, 3)}


def _prepared(
    plan: Plan, scoring: Scoring, shard: Shard, chunks: Iterator[LibraryChunk], on_ahead: OnChunk
) -> Iterator[tuple[LibraryChunk, MoleculeBatch | None]]:
    """Chunks with their molecules featurized, None for one that is done already."""
    for chunk in chunks:
        on_ahead(chunk.start)
        yield chunk, None if _part(shard, chunk.start).exists() else scoring.prepare(plan, chunk)


def _announced(plan: Plan, scoring: Scoring, chunk: LibraryChunk, on_chunk: OnChunk) -> Any:
    on_chunk(chunk.start)
    return score_chunk(plan, scoring, chunk)


def _grouped(chunk: LibraryChunk) -> list[LibraryChunk]:
    from drugai.screening.records import _slice

    return [_slice(chunk, at, min(at + GROUP, len(chunk))) for at in range(0, len(chunk), GROUP)]


def score_chunk(plan: Plan, scoring: Scoring, chunk: LibraryChunk, batch: MoleculeBatch | None = None) -> Any:
    """The rows of a chunk as an Arrow table in the plan's columns; ``batch`` holds its molecules if they were prepared already."""
    import pyarrow as pa

    computed, reasons = scoring.rows(plan, batch if batch is not None else scoring.prepare(plan, chunk))
    arrays = []
    for column in plan.columns:
        if column.role == "index":
            arrays.append(to_arrow(np.arange(chunk.start, chunk.start + len(chunk), dtype=np.int64)))
        elif column.role in ("id", "smiles", "kept", "reason"):
            texts = {"id": chunk.ids, "smiles": chunk.smiles, "reason": reasons}.get(column.role) or chunk.columns.get(column.key, [])
            arrays.append(texts_to_arrow([_text(cell) for cell in texts]))
        else:
            arrays.append(to_arrow(computed[column.name], nan_is_null=True))  # statistics then make sense
    return pa.table(arrays, schema=schema(plan))


def schema(plan: Plan) -> Any:
    """The Arrow schema of a shard."""
    import pyarrow as pa

    types = {"index": pa.int64(), "total": pa.float64(), **dict.fromkeys(("id", "smiles", "kept", "reason"), pa.string())}
    return pa.schema([(column.name, types.get(column.role, pa.float32())) for column in plan.columns])


def read_columns(path: Path, columns: Sequence[str] | None = None) -> Any:
    """The named columns of a shard, or all, as an Arrow table. ``pyarrow.parquet.read_table`` would import pandas."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return file.read(columns=None if columns is None else list(columns))


def _text(cell: str) -> str:
    # a lone surrogate, from damaged bytes, is no text that Parquet can hold
    return cell.encode("utf-8", "replace").decode("utf-8") if not cell.isascii() else cell


def _part(shard: Shard, at: int) -> Path:
    return shard.parts / f"{at}.arrow"


def _write_part(plan: Plan, path: Path, tables: list[Any]) -> None:
    import pyarrow as pa

    beside = path.with_suffix(".new")
    with beside.open("wb") as stream, pa.ipc.new_file(stream, schema(plan)) as writer:
        for table in tables:
            writer.write_table(table.combine_chunks())
    beside.replace(path)


def _assemble(plan: Plan, shard: Shard, starts: list[int]) -> dict[str, Any]:
    """One Parquet file of the parts, synced and renamed; then the parts go."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = []
    for at in starts:
        with pa.memory_map(str(_part(shard, at))) as source:
            tables.append(pa.ipc.open_file(source).read_all())
    table = pa.concat_tables(tables).combine_chunks() if tables else schema(plan).empty_table()
    with atomic_file(shard.path) as stream:
        pq.write_table(table, pa.PythonFile(stream, mode="w"), compression="zstd", row_group_size=_ROW_GROUP)
    row = {
        "number": shard.number, "start": shard.start, "stop": shard.stop, "plan": plan.checksum, "library": plan.library.sha256,
        "sha256": file_checksum(shard.path), "bytes": os.path.getsize(shard.path), **count_rows(plan, table),
    }  # fmt: skip
    shutil.rmtree(shard.parts)
    return row


def count_rows(plan: Plan, table: Any) -> dict[str, Any]:
    """What a manifest row says of the rows: how many, which reasons, the histogram of totals, and how far each term let them come."""
    reasons: dict[str, int] = {}
    for entry in table.column("reason").value_counts().to_pylist():
        if entry["values"]:
            code = code_of(entry["values"])
            reasons[code] = reasons.get(code, 0) + entry["counts"]
    fine = np.array(table.column("reason").to_pylist(), dtype=object) == ""
    total = numbers_of(table.column("total"))
    terms = {}
    for column in plan.columns:
        if column.role == "score":
            score = numbers_of(table.column(column.name))
            known = score[~np.isnan(score)].astype(np.float64)
            terms[column.term] = {"reached": len(known), "passed": int((known > 0).sum()), "sum": round(float(known.sum()), 6)}
    counts = np.histogram(total[fine], bins=BINS, range=(0.0, 1.0))[0]
    return {
        "n": table.num_rows, "n_bad": sum(reasons.values()), "n_alive": int((total > 0).sum()), "reasons": dict(sorted(reasons.items())),
        "histogram": counts.tolist(), "terms": terms,
    }  # fmt: skip
