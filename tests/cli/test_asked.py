"""Just the command that was asked for is built; where none can be told, all are."""

import pytest
import typer.main

from drugai.cli.app import app
from drugai.cli.program import build

ALL = sorted(typer.main.get_command(app).commands)


@pytest.mark.parametrize(
    ("words", "commands"),
    [
        (["train", "predict"], ["train"]),
        (["--quiet", "predict", "-h"], ["predict"]),
        (["data", "list"], ["data"]),
        (["--log", "error", "train"], ALL),  # "error" might be anything
        (["trian"], ALL),  # so that the message can say what there is
        (["--help"], ALL),
        ([], ALL),
    ],
)
def test_what_is_in_the_program(words, commands):
    # a program of one command is told from a group by its callback
    assert sorted(typer.main.get_command(build(words)).commands) == commands


def test_every_command_has_a_line():
    for name, command in typer.main.get_command(app).commands.items():
        assert command.get_short_help_str(), name
