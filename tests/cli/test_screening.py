"""``drugai screen`` as it is typed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drugai.cli.app import app
from drugai.errors import ConfigError

RUN = CliRunner()


@pytest.fixture
def typed(tmp_path: Path) -> list[str]:
    """A library of four, one of them bad, and a scorer: ethanol, aspirin, an unclosed ring, caffeine."""
    (tmp_path / "l.csv").write_text("ID,SMILES\n007,CCO\nasp,CC(=O)Oc1ccccc1C(=O)O\nbad,c1ccccc\ncaf,Cn1cnc2c1c(=O)n(C)c(=O)n2C\n")
    (tmp_path / "s.toml").write_text('[[term]]\nkind = "qed"\n')
    return ["screen", str(tmp_path / "l.csv"), "--scorer", str(tmp_path / "s.toml"), "--out", str(tmp_path / "run"), "--top", "2"]


def test_screen_prints_the_best_and_writes_them_and_exit_is_3_past_max_errors(tmp_path: Path, typed: list[str]) -> None:
    found = RUN.invoke(app, typed)
    assert found.exit_code == 0, found.output
    assert "4 molecules, 1 could not be used (1 E_PARSE)" in found.output
    assert found.output.index("asp") < found.output.index("caf")  # RDKit's QED: aspirin 0.55, caffeine 0.54, ethanol 0.41
    with (tmp_path / "run" / "hits.csv").open() as stream:
        assert [row["id"] for row in csv.DictReader(stream)] == ["asp", "caf"]
    assert RUN.invoke(app, [*typed, "--max-errors", "0"]).exit_code == 3
    assert RUN.invoke(app, [*typed, "--max-errors", "1"]).exit_code == 0


def test_a_slice_says_how_to_get_the_hits(typed: list[str]) -> None:
    found = RUN.invoke(app, [*typed, "--shard-slice", "0/2", "--shard-size", "2"])
    assert found.exit_code == 0, found.output
    assert "run once without --shard-slice" in found.output


@pytest.mark.parametrize(
    ("more", "words"), [(["--model", "x"], "either --model"), (["--shard-slice", "2"], "expected i/n"), (["--rank-by", "qed:max"], "goes with a model")]
)
def test_what_does_not_fit_is_said(typed: list[str], more: list[str], words: str) -> None:
    found = RUN.invoke(app, [*typed, *more])
    assert isinstance(found.exception, ConfigError)
    assert words in str(found.exception)
