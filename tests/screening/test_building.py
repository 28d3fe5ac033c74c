"""The graph store: the same rows with and without it, refused when it does not fit, guarded like a screen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import drugai
from drugai.errors import ArtifactError
from drugai.featurizers.graph_store import GraphStore, without
from drugai.featurizers.graphs import MolecularGraphs, featurize_graphs
from drugai.models.gnn import GNNNetConfig
from drugai.molecules import read_table
from drugai.predictors.gnn import GNNConfig
from drugai.screening import build_library, screen

SHARDS = {"shard_size": 300, "chunk": 128}


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small graph network on RDKit's measured compounds."""
    data = drugai.read_dataset("chembl2321810").take(range(120))
    config = GNNConfig(GNNNetConfig(encoder="gin", width=64, depth=2, head_width=64), epochs=1)
    return drugai.fit_predictor(config, data, drugai.split(data, method="random", seed=0)).save(tmp_path_factory.mktemp("network") / "gin")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Path:
    """The library of the room's tests, 300 of its 1,000 records bad, in parts of 170."""
    return build_library(library, tmp_path_factory.mktemp("store") / "l.graphs", shard_size=170).path


def equal(a: MolecularGraphs, b: MolecularGraphs) -> bool:
    return a.reasons == b.reasons and all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("atoms", "ends", "bonds", "n_atoms", "n_bonds"))


@pytest.mark.parametrize(("start", "stop"), [(0, 1000), (0, 1), (169, 171), (500, 500), (100, 777), (999, 1000)])
def test_any_range_of_the_store_is_what_featurization_gives(library: Path, store: Path, start: int, stop: int) -> None:
    smiles = read_table(library).columns["SMILES"][start:stop]
    found = GraphStore(store).read(start, stop)
    assert equal(found, featurize_graphs(smiles))
    assert found.ends.dtype == np.int32


@pytest.mark.slow
def test_a_screen_from_the_store_writes_the_bytes_of_one_that_parses(tmp_path: Path, library: Path, store: Path, network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen(library, network, out=tmp_path / "parsed", top=30, **SHARDS)
    screen(library, network, out=tmp_path / "stored", top=30, graphs=store, **SHARDS)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # the next chunk is then made ready beside the work
    screen(library, network, out=tmp_path / "ahead", top=30, **SHARDS)
    for path in sorted((tmp_path / "parsed" / "shards").glob("*.parquet")):
        assert path.read_bytes() == (tmp_path / "stored" / "shards" / path.name).read_bytes()
        assert path.read_bytes() == (tmp_path / "ahead" / "shards" / path.name).read_bytes()
    assert (tmp_path / "parsed" / "hits.csv").read_bytes() == (tmp_path / "stored" / "hits.csv").read_bytes()


def test_a_store_takes_about_300_bytes_a_molecule_and_a_second_build_makes_nothing_again(library: Path, store: Path) -> None:
    again = build_library(library, store, shard_size=170)
    assert again.computed == 0
    assert again.reasons == dict.fromkeys(("E_CHARGE", "E_CHARSET", "E_EMPTY", "E_FRAGMENTS", "E_PARSE", "E_TOO_LONG"), 50)
    assert again.bytes / 700 < 450  # these have 28 atoms on the average, and 300 records their reason; drug-like libraries come to about 280
    assert "300 could not be used" in str(again)


def test_a_part_that_is_lost_or_changed_is_made_again_by_a_build_and_refused_by_a_reader(tmp_path: Path, library: Path) -> None:
    folder = build_library(library, tmp_path / "l.graphs", shard_size=400).path
    part = folder / "shards" / "shard_00001.safetensors"
    data = bytearray(part.read_bytes())
    data[-5] ^= 1
    part.write_bytes(data)
    with pytest.raises(ArtifactError, match="changed since it was written"):
        GraphStore(folder).read(300, 500)
    assert build_library(library, folder, shard_size=400).computed == 1
    part.unlink()
    with pytest.raises(ArtifactError, match="missing"):
        GraphStore(folder).read(300, 500)


def test_a_store_of_another_library_or_by_other_code_is_refused_by_name(tmp_path: Path, library: Path, store: Path, network: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("id,SMILES\na,CCO\n")
    with pytest.raises(ArtifactError, match="the library's content"):
        screen(other, network, out=tmp_path / "run", graphs=store)
    with pytest.raises(ArtifactError, match=r"trusted \(False → True\)"):
        screen(library, network, out=tmp_path / "run", graphs=store, trusted=True)
    copy = tmp_path / "copy"
    copy.mkdir()
    values = json.loads((store / "manifest.json").read_text())
    values["code"]["sha256"] = "0" * 64
    (copy / "manifest.json").write_text(json.dumps(values))
    with pytest.raises(ArtifactError, match="another version of drugai made these graphs"):
        GraphStore(copy)
    with pytest.raises(ArtifactError, match="no finished graph store"):
        GraphStore(tmp_path)


def test_rows_that_are_not_to_be_touched_lose_their_graph_and_get_the_reason() -> None:
    graphs = featurize_graphs(["CCO", "c1ccccc1", "CC"])  # ethanol, benzene, ethane
    found = without(graphs, ["", "E_CRASH: died", ""])
    assert found.n_atoms.tolist() == [3, 0, 2]
    assert found.reasons == ("", "E_CRASH: died", "")
    assert equal(found.take([0, 2]), graphs.take([0, 2]))
