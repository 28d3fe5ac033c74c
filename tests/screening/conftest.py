"""A library with bad rows, a small model, and the scorers that do harm."""

from __future__ import annotations

import importlib.util
import types
from pathlib import Path

import pytest

import drugai
from drugai.predictors.trees import TreesConfig

BAD = {"": "E_EMPTY", "c1ccccc": "E_PARSE", "C" * 20_000: "E_TOO_LONG", "CС": "E_CHARSET", "[Mg+1000]": "E_CHARGE", ".".join("C" * 60): "E_FRAGMENTS"}
"""No text, an unclosed ring, T1's chain, a Cyrillic С, an impossible ion, sixty methanes."""


@pytest.fixture(scope="session")
def molecules() -> list[str]:
    """The 1,017 measured compounds that RDKit carries."""
    return list(drugai.read_dataset("chembl2321810").smiles)


@pytest.fixture(scope="session")
def hazardous() -> types.ModuleType:
    """The module of harmful scorers."""
    spec = importlib.util.spec_from_file_location("hazardous", Path(__file__).with_name("hazardous.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory, molecules: list[str]) -> Path:
    """1,000 records of which 300 are bad, of six kinds."""
    bad = list(BAD)
    rows = ["id,SMILES"]
    for row in range(1000):
        smi = bad[(row // 10 * 3 + (1, 4, 7).index(row % 10)) % 6] if row % 10 in (1, 4, 7) else molecules[row]
        rows.append(f"M{row:04d},{smi}")
    path = tmp_path_factory.mktemp("library") / "library.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small sets of boosted trees on RDKit's measured compounds."""
    data = drugai.read_dataset("chembl2321810")
    config = TreesConfig(blocks=("morgan",), members=2, rounds=10, threads=1)
    predictor = drugai.fit_predictor(config, data, drugai.split(data, method="random", seed=0))
    return predictor.save(tmp_path_factory.mktemp("model") / "trees")


SHARDS = {"shard_size": 300, "chunk": 128}


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, library: Path, model: Path) -> Path:
    """The folder of a run that several tests look at: the library by the model, the least active first."""
    out = tmp_path_factory.mktemp("finished") / "run"
    drugai.screen(library, model, rank_by="pActivity:min", out=out, top=25, **SHARDS)
    return out
