"""The ADMET panel over a file of any size: chunk by chunk, in flat memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from drugai.errors import count_reasons
from drugai.molecules import LibraryChunk, read_library
from drugai.molecules.appending import TableWriter
from drugai.predictors.admet_panel import LEVEL, AdmetPanel, AdmetProfile, load_panel
from drugai.predictors.base import CHUNK
from drugai.predictors.streaming import FileSummary, library_path


def admet_file(
    source: str | Path,
    out: str | Path,
    *,
    smiles: str | None = None,
    level: float = LEVEL,
    endpoints: Sequence[str] = (),
    keep_columns: Sequence[str] = (),
    chunk: int = CHUNK,
    panel: AdmetPanel | None = None,
    on_part: Callable[[LibraryChunk, AdmetProfile], None] | None = None,
) -> FileSummary:
    """Write id, smiles and what the panel says of every row of a file, in its order.

    Args:
        source: Card's name or file.
        out: ``.csv``, ``.tsv`` (each also ``.gz``) or ``.parquet``.
        smiles: SMILES column; inferred by its name if not given.
        level: Coverage of intervals and class sets.
        endpoints: Names; all by default.
        keep_columns: Further columns of the file to carry over; ``("*",)`` for all.
        chunk: Rows held in memory.
        panel: Another than the one that ships.
        on_part: Called with each chunk and its profile after they were written.
    """
    used = panel if panel is not None else load_panel()
    used = used.select(endpoints) if endpoints else used
    counts: dict[str, int] = {}
    with TableWriter(out) as writer:
        for part in read_library(library_path(source), smiles=smiles, chunk=chunk, keep_columns=keep_columns):
            profile = used.profile(part.batch(), level=level)
            for code, count in count_reasons(profile.predictions.reasons).items():
                counts[code] = counts.get(code, 0) + count
            writer.append({"id": part.ids, "smiles": part.smiles, **part.columns, **profile.to_columns()})
            if on_part is not None:
                on_part(part, profile)
        if writer.rows == 0:
            writer.append({"id": [], "smiles": [], **used.profile([], level=level).to_columns()})
    return FileSummary(Path(out), writer.rows, dict(sorted(counts.items(), key=lambda item: -item[1])))
