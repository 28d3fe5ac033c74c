"""The best of all shards in order, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from drugai.screening.merge import count_between, top_rows, value_histograms
from drugai.screening.plan import Column, Library, Plan
from drugai.screening.shard import Shard, count_rows

COLUMNS = (Column("index", "index"), Column("id", "id"), Column("smiles", "smiles"), Column("total", "total"),
           Column("logp", "raw", term="logp"), Column("logp_score", "score", term="logp"), Column("reason", "reason"))  # fmt: skip
PLAN = Plan(Library("l", "l", "smi", "", 0, 6), {"kind": "object"}, shard_size=3, columns=COLUMNS)


def write(folder: Path, number: int, totals: list[float], logps: list[float | None], reasons: list[str]) -> Shard:
    shard = Shard(number, 3 * number, 3 * number + 3, folder / f"shard_{number:05d}.parquet")
    indices = list(range(shard.start, shard.stop))
    table = pa.table(
        {"index": indices, "id": [f"m{k}" for k in indices], "smiles": ["C"] * 3, "total": totals, "logp": pa.array(logps, pa.float32()),
         "logp_score": pa.array(totals, pa.float32()), "reason": reasons}
    )  # fmt: skip
    pq.write_table(table, shard.path)
    return shard


def shards(folder: Path) -> list[Shard]:
    return [
        write(folder, 0, [0.2, 0.9, 0.0], [1.0, 2.0, None], ["", "", "E_PARSE: no"]),
        write(folder, 1, [0.9, 0.0, 0.5], [-1.0, 0.5, 3.0], ["", "", ""]),
    ]


def test_the_order_is_total_then_index_and_dead_and_bad_rows_are_no_hits(tmp_path: Path) -> None:
    found = top_rows(PLAN, shards(tmp_path), 10)
    assert found["index"].tolist() == [1, 3, 5, 0]  # 0.9, 0.9 (later), 0.5, 0.2
    assert found["rank"].tolist() == [1, 2, 3, 4]
    assert found["id"] == ["m1", "m3", "m5", "m0"]


def test_a_tie_at_the_cut_is_decided_by_the_index_whatever_the_order_of_the_shards(tmp_path: Path) -> None:
    both = shards(tmp_path)
    assert top_rows(PLAN, both, 1)["index"].tolist() == top_rows(PLAN, both[::-1], 1)["index"].tolist() == [1]


def test_histograms_span_the_values_of_the_library_and_leave_out_nulls(tmp_path: Path) -> None:
    both = shards(tmp_path)
    found = value_histograms(PLAN, both, top_rows(PLAN, both, 2))["logp"]
    assert (found["min"], found["max"]) == (-1.0, 3.0)
    assert sum(found["counts"]) == 5
    assert sum(found["hits"]) == 2


def test_counts_of_a_shard_are_those_of_its_rows(tmp_path: Path) -> None:
    row = count_rows(PLAN, pq.read_table(shards(tmp_path)[0].path))
    assert (row["n"], row["n_bad"], row["n_alive"], row["reasons"]) == (3, 1, 2, {"E_PARSE": 1})
    assert row["histogram"][10] == 1  # 0.2 begins the eleventh of fifty bins
    assert row["histogram"][45] == 1
    assert sum(row["histogram"]) == 2  # the bad row is in no bin


def test_what_rounding_puts_beside_the_range_counts_in_the_outermost_bin() -> None:
    assert count_between(np.array([-1e-9, 0.5, 1.0000001, np.nan]), np.array([0.0, 0.25, 1.0])).tolist() == [1, 2]
