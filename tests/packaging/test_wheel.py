"""The wheel: everything that is needed lies in it, and it does the main job from an empty folder in an environment that never saw the checkout."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed")]


def run(*command: str, cwd: Path, **environment: str) -> str:
    own = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "DRUGAI_DATA", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=cwd, env={**own, "OMP_NUM_THREADS": "1", **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(ROOT), cwd=place)
    [found] = place.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel; what drugai depends on is lent by the environment of the tests, whose own drugai comes after it."""
    place = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", str(place / "env"), cwd=place)
    python = place / "env" / "bin" / "python"
    site = Path(run(str(python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])", cwd=place).strip())
    run(sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet", str(wheel), cwd=place)
    (site / "lent.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return place / "env" / "bin"


def test_cards_weights_templates_and_nothing_else_lie_in_the_wheel(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "drugai").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert files - set(names) == set()
    cards = {f"drugai/_datasets/{path.parent.name}/dataset.toml" for path in (ROOT / "datasets").glob("*/dataset.toml")}
    assert cards <= set(names)
    assert {name.split("/")[0] for name in names if not name.startswith("drugai/")} == {f"drugai-{version()}.dist-info"}
    assert wheel.stat().st_size < 20_000_000


def test_the_extras_that_the_documents_name_are_declared(wheel):
    metadata = zipfile.ZipFile(wheel).read(f"drugai-{version()}.dist-info/METADATA").decode()
    declared = {line.removeprefix("Provides-Extra: ") for line in metadata.splitlines() if line.startswith("Provides-Extra: ")}
    assert declared == set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    assert {"app", "text", "report", "ray"} <= declared


def test_the_wheel_does_the_main_job_from_an_empty_folder(environment, tmp_path):
    drugai, home = str(environment / "drugai"), tmp_path / "home"
    home.mkdir()
    empty = tmp_path / "empty"
    empty.mkdir()
    where = run(str(environment / "python"), "-c", "import drugai; print(drugai.__file__)", cwd=empty, HOME=str(home))
    assert str(environment.parent) in where
    assert len(run(drugai, "data", "list", cwd=empty, HOME=str(home)).splitlines()) > 100
    text = run(drugai, "demo", cwd=empty, HOME=str(home))
    assert "the ten best hits" in text
    assert (empty / "runs" / "demo" / "index.html").stat().st_size > 100_000
    (empty / "new.smi").write_text("CC(=O)Oc1ccccc1C(=O)O aspirin\nc1ccccc broken\n")
    run(drugai, "predict", "runs/demo/model", "new.smi", "--out", "new.csv", cwd=empty, HOME=str(home))
    lines = (empty / "new.csv").read_text().splitlines()
    assert len(lines) == 3
    assert "E_PARSE" in lines[2]
    run(drugai, "generate", "-n", "5", "--out", "made.smi", cwd=empty, HOME=str(home))
    assert len((empty / "made.smi").read_text().splitlines()) == 5


def version() -> str:
    import drugai

    return drugai.__version__
