"""The Ray engine: the bytes of the local one, and its guards. Ray takes half a minute of CPU to start, so these are slow."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pyarrow.parquet as pq
import pytest

from drugai.errors import ConfigError, code_of
from drugai.scoring import product_of, qed
from drugai.screening import read_hits, screen

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (drugai[ray])")
SHARDS = {"shard_size": 250, "chunk": 128}


def contents(folder: Path) -> dict[str, bytes]:
    """What a run must reproduce: every shard and the hits."""
    files = [*sorted((folder / "shards").glob("*.parquet")), folder / "hits.csv", folder / "hits.parquet"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def rows_of(folder: Path) -> list[dict[str, object]]:
    return [row for path in sorted((folder / "shards").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


@needs_ray
@pytest.mark.slow
def test_two_ray_workers_write_the_bytes_of_the_local_engine_and_find_a_molecule_that_crashes(
    tmp_path: Path, library: Path, model: Path, molecules: list[str], hazardous: ModuleType
) -> None:
    import ray

    ray.init(num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False, logging_level="ERROR")  # one start for all that this test does
    try:
        screen(library, model, out=tmp_path / "local", top=40, **SHARDS)
        hits = screen(library, model, out=tmp_path / "ray", top=40, workers=2, engine="ray", **SHARDS)
        assert hits.summary["shards"] == {"n": 4, "computed": 4, "skipped": 0}
        assert contents(tmp_path / "ray") == contents(tmp_path / "local")
        # the engines take up each other's shards
        next(iter((tmp_path / "ray" / "shards").glob("*.parquet"))).unlink()
        again = screen(library, model, out=tmp_path / "ray", top=40, **SHARDS)
        assert again.summary["shards"] == {"n": 4, "computed": 1, "skipped": 3}
        assert contents(tmp_path / "ray") == contents(tmp_path / "local")

        smiles = molecules[:150]
        smiles[37] = hazardous.SIGNS["crash"]
        (tmp_path / "l.smi").write_text("".join(f"{smi} {row}\n" for row, smi in enumerate(smiles)))
        screen(tmp_path / "l.smi", hazardous.place("crash"), out=tmp_path / "guarded", engine="ray")
        assert {row["index"]: code_of(str(row["reason"])) for row in rows_of(tmp_path / "guarded") if row["reason"]} == {37: "E_CRASH"}
        assert read_hits(tmp_path / "guarded").summary["replaced"] >= 1
    finally:
        ray.shutdown()


def test_what_does_not_go_with_ray_is_refused_at_the_door(tmp_path: Path, library: Path) -> None:
    with pytest.raises(ConfigError, match="runs in this process alone"):
        screen(library, product_of(qed()), out=tmp_path / "run", engine="ray")
    with pytest.raises(ConfigError, match=r"unknown engine 'rey'; did you mean 'ray'"):
        screen(library, product_of(qed()), out=tmp_path / "run", engine="rey")
