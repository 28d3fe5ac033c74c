"""Libraries and runs under a URI: the bytes of a run on this machine, resumed from the store by another machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from drugai.errors import ConfigError, DatasetError
from drugai.molecules import index_library, read_library, write_table
from drugai.screening import screen
from drugai.screening.mirror import Mirror
from drugai.stores import RemoteFile, checksum_of, is_remote, place

SHARDS = {"shard_size": 300, "chunk": 128}


@pytest.fixture
def bucket(tmp_path: Path) -> str:
    """A folder as a store, under a URI; or the S3 bucket that DRUGAI_TEST_STORE names (for instance one of a local moto server)."""
    given = os.environ.get("DRUGAI_TEST_STORE", "")
    if not given:
        return f"file://{tmp_path / 'bucket'}"
    head, question, options = given.partition("?")
    return f"{head.rstrip('/')}/{tmp_path.parent.name}_{tmp_path.name}{question}{options}"


def below(bucket: str, name: str) -> str:
    return RemoteFile(bucket).child(name).uri


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in [*sorted((folder / "shards").glob("*.parquet")), folder / "hits.csv", folder / "hits.parquet"]}


@pytest.mark.parametrize("name", ["l.csv", "l.smi.gz", "l.parquet", "l.sdf", "l.parquet.gz"])
def test_a_library_under_a_uri_is_read_like_the_file_it_is(tmp_path: Path, bucket: str, name: str) -> None:
    if name == "l.parquet.gz":
        import gzip

        path = tmp_path / name
        path.write_bytes(gzip.compress(write_table(tmp_path / "l.parquet", {"id": ["a", "b"], "smiles": ["CCO", "CC"]}).read_bytes()))
    else:
        path = write_table(tmp_path / name, {"id": [f"m{k}" for k in range(20)], "smiles": ["C" * (k + 1) for k in range(20)]})
    uri = below(bucket, f"deep/{name}")
    place(uri).write_bytes(path.read_bytes())
    assert checksum_of(uri) == checksum_of(path)
    assert index_library(uri, 7) == index_library(path, 7)
    far = [(part.smiles, part.ids, part.lines) for part in read_library(uri, start=1, stop=15, chunk=4, index=index_library(uri, 7))]
    assert far == [(part.smiles, part.ids, part.lines) for part in read_library(path, start=1, stop=15, chunk=4)]


@pytest.mark.slow
def test_a_run_in_a_store_has_the_bytes_of_a_local_one_and_another_machine_takes_it_up(tmp_path: Path, bucket: str, library: Path, model: Path) -> None:
    screen(library, model, out=tmp_path / "local", top=25, **SHARDS)
    uri, out = below(bucket, "library.csv"), below(bucket, "run")
    place(uri).write_bytes(library.read_bytes())
    screen(uri, model, out=out, top=25, scratch=tmp_path / "first", shard_slice=(0, 2), **SHARDS)
    assert not RemoteFile(out).child("hits.csv").exists()
    hits = screen(uri, model, out=out, top=25, scratch=tmp_path / "second", workers=2, **SHARDS)
    assert hits.summary["shards"] == {"n": 4, "computed": 2, "skipped": 2}
    stored = {name.rpartition("/")[2]: RemoteFile(out).child(name).read_bytes() for name in RemoteFile(out).names() if not name.endswith(".json")}
    assert stored == contents(tmp_path / "local")


def test_a_shard_without_its_row_is_not_finished(tmp_path: Path, bucket: str, library: Path, model: Path) -> None:
    out = below(bucket, "run")
    screen(library, model, out=out, top=5, scratch=tmp_path / "first", **SHARDS)
    store = RemoteFile(out)
    store.system.delete_file(store.child("shards/shard_00001.json").key)
    store.system.delete_file(store.child("shards/shard_00002.parquet").key)
    mirror = Mirror(out, tmp_path / "second")
    mirror.fetch()
    names = {path.name for path in (tmp_path / "second" / "shards").iterdir()}
    assert names == {"shard_00000.json", "shard_00000.parquet", "shard_00003.json", "shard_00003.parquet"}
    assert screen(library, model, out=out, top=5, scratch=tmp_path / "second", **SHARDS).summary["shards"]["computed"] == 2


def test_what_is_no_uri_and_what_is_not_there_is_said(bucket: str) -> None:
    assert is_remote("s3://bucket/key")
    assert not is_remote("C:/library.smi")
    assert not is_remote(Path("a/b"))
    with pytest.raises(ConfigError, match="cannot be opened"):
        place("nosuchscheme://bucket/key")
    with pytest.raises(DatasetError, match="does not exist"):
        index_library(below(bucket, "nothing.smi"))
