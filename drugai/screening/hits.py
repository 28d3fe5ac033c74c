"""What a screening run gives: the best rows, and the summary of the library."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drugai.errors import ArtifactError
from drugai.screening.folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd

_TEXT = ("id", "smiles", "kept", "reason")


@dataclass(frozen=True, eq=False)
class Hits:
    """The best of a library.

    Attributes:
        table: Column → values, one row a hit, best first (see the room's docstring).
        summary: What ``summary.json`` says.
        path: The run folder.
        complete: False for a slice of a run, whose table is the best of its own shards and is not written.
    """

    table: dict[str, Any] = field(repr=False)
    summary: dict[str, Any] = field(repr=False)
    path: Path
    complete: bool = True

    def __len__(self) -> int:
        return len(self.table["rank"])

    @property
    def smiles(self) -> list[str]:
        """SMILES of the hits, best first."""
        return list(self.table["smiles"])

    @property
    def n_errors(self) -> int:
        """Rows of the library that could not be used."""
        return int(self.summary["n_bad"])

    def to_frame(self) -> pd.DataFrame:
        """A pandas table."""
        import pandas as pd

        return pd.DataFrame(self.table)

    def best(self, n: int = 10) -> list[tuple[str, ...]]:
        """Rank, id, total, the terms' raw values and SMILES of the first ``n`` hits, as text; the first row names them."""
        terms = [entry["name"] for entry in self.summary["terms"] if entry["name"] in self.table]
        out: list[tuple[str, ...]] = [("rank", "id", "total", *terms, "smiles")]
        for row in range(min(n, len(self))):
            values = tuple(_short(self.table[name][row]) for name in terms)
            out.append((str(self.table["rank"][row]), str(self.table["id"][row])[:24], f"{self.table['total'][row]:.4f}", *values, self.table["smiles"][row]))
        return out

    def __str__(self) -> str:
        found = self.summary
        bad = ", ".join(f"{count:,} {code}" for code, count in found["reasons"].items())
        lines = [
            f"{found['n']:,} molecules, {found['n_alive']:,} with a total above 0, {len(self):,} hits"
            + (f" down to a total of {found['cutoff']:.4f}" if found["cutoff"] is not None else ""),
            f"{found['n_bad']:,} could not be used: {bad}" if bad else "all could be used",
        ]
        rows = self.best(10)
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]) - 1)]
        lines += ["  ".join([*(cell.rjust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])[:140] for row in rows]
        return "\n".join(lines)


def _short(value: Any) -> str:
    return "" if value != value else f"{value:.4g}"


def read_hits(path: str | Path) -> Hits:
    """The hits of a finished run.

    Raises:
        ArtifactError: The folder is no run, or one that is not finished.
    """
    import pyarrow.parquet as pq

    folder = Path(path)
    plan = RunFolder(folder).read_plan()
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        found = pq.read_table(folder / "hits.parquet")
    except (FileNotFoundError, ValueError):
        raise ArtifactError(f"{folder}: the run is not finished; the same `drugai screen` continues it") from None
    texts = {column.name for column in plan.columns if column.role in _TEXT} | {"scaffold", "nearest_active"}
    table: dict[str, Any] = {}
    for name in found.column_names:
        column = found.column(name)
        table[name] = [value or "" for value in column.to_pylist()] if name in texts else np.asarray(column.to_numpy())
    return Hits(table, summary, folder)
