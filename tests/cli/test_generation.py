"""``drugai optimize`` as it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from drugai.cli.app import app
from drugai.errors import ConfigError

RUN = CliRunner()


@pytest.fixture
def typed(tmp_path: Path) -> list[str]:
    """From aspirin, ibuprofen, caffeine and an unclosed ring towards celecoxib."""
    (tmp_path / "s.toml").write_text('[[term]]\nkind = "objective"\nname = "celecoxib_rediscovery"\n')
    (tmp_path / "start.csv").write_text("ID,SMILES\n1,CC(=O)Oc1ccccc1C(=O)O\n2,CC(C)Cc1ccc(C(C)C(=O)O)cc1\n3,Cn1c(=O)c2c(ncn2C)n(C)c1=O\n4,c1ccccc\n")
    files = ["--scorer", str(tmp_path / "s.toml"), "--start", str(tmp_path / "start.csv"), "--out", str(tmp_path / "run")]
    return ["optimize", *files, "--budget", "60", "--set", "population=20", "--set", "offspring=20"]


def test_optimize_prints_the_ten_best_and_goes_on_with_its_run(tmp_path: Path, typed: list[str]) -> None:
    found = RUN.invoke(app, typed)
    assert found.exit_code == 0, found.output
    assert "60 molecules scored; area under the curve of the ten best 0." in found.output
    assert found.stdout.splitlines()[11].split()[0] == "10"
    assert len((tmp_path / "run" / "scored.jsonl").read_text().splitlines()) == 60
    again = RUN.invoke(app, typed)
    assert again.stdout == found.stdout
    with pytest.raises(ConfigError, match="other settings"):
        RUN.invoke(app, [*typed, "--seed", "1"], catch_exceptions=False)


def test_an_unknown_method_is_refused_with_the_nearest(typed: list[str]) -> None:
    with pytest.raises(ConfigError, match="did you mean 'hybrid'"):
        RUN.invoke(app, [*typed, "--method", "hybird"], catch_exceptions=False)
