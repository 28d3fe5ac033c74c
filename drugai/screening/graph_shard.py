"""The unit of work of ``drugai library build``: a range of records in, one part of a graph store and its manifest row out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from drugai.artifact import file_checksum
from drugai.errors import DatasetError, count_reasons
from drugai.featurizers.graph_store import write_part
from drugai.featurizers.graphs import MolecularGraphs, concatenate, featurize_graphs
from drugai.molecules import LibraryIndex
from drugai.screening.plan import Plan
from drugai.screening.records import read_chunks
from drugai.screening.shard import Shard


def build_shard(
    plan: Plan,
    shard: Shard,
    *,
    index: LibraryIndex | None = None,
    verdicts: Mapping[int, str] | None = None,
    grouped: Collection[int] = (),
    on_chunk: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Write the graphs of a range of records; the counterpart of :func:`~drugai.screening.shard.screen_shard`, with the same arguments."""
    on_chunk = on_chunk or (lambda at: None)
    begun, cpu = time.perf_counter(), time.process_time()
    found: list[MolecularGraphs] = []
    on_chunk(shard.start)
    for chunk in read_chunks(plan, shard.start, shard.stop, chunk=plan.chunk, index=index, skip=verdicts):
        on_chunk(chunk.start)
        found.append(featurize_graphs(chunk.batch(plan.caps, plan.trusted, transient=True)))
    graphs = concatenate(found) if found else featurize_graphs([])
    if len(graphs) != shard.stop - shard.start:
        raise DatasetError(f"{plan.library.path}: has fewer records than when it was indexed ({plan.library.records}); it changed under the run. Start again")
    try:
        write_part(shard.path, graphs)
    except OSError as error:
        raise DatasetError(f"{shard.path}: cannot be written ({error.strerror or error}); make room and start again, the finished parts are kept") from error
    reasons = count_reasons(graphs.reasons)
    return {
        "number": shard.number, "file": shard.path.name, "start": shard.start, "stop": shard.stop, "plan": plan.checksum, "library": plan.library.sha256,
        "sha256": file_checksum(shard.path), "bytes": os.path.getsize(shard.path), "n": len(graphs), "n_bad": sum(reasons.values()), "reasons": dict(reasons),
        "seconds": round(time.perf_counter() - begun, 3), "cpu_seconds": round(time.process_time() - cpu, 3),
    }  # fmt: skip
