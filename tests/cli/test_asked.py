"""Just the command that was asked for is built; where none can be told, all are."""

import pytest
import typer

from drugai.cli import _only_asked


def program() -> typer.Typer:
    app, group = typer.Typer(), typer.Typer()
    for name in ("train", "predict"):
        app.command(name)(lambda: None)
    app.add_typer(group, name="data")
    return app


@pytest.mark.parametrize(
    ("words", "commands", "groups"),
    [
        (["train", "predict"], ["train"], []),
        (["--quiet", "predict", "-h"], ["predict"], []),
        (["data", "list"], [], ["data"]),
        (["--log", "error", "train"], ["train", "predict"], ["data"]),  # "error" might be anything
        (["trian"], ["train", "predict"], ["data"]),  # so that the message can say what there is
        (["--help"], ["train", "predict"], ["data"]),
        ([], ["train", "predict"], ["data"]),
    ],
)
def test_what_stays_in_the_program(words, commands, groups):
    app = program()
    _only_asked(app, words)
    assert [one.name for one in app.registered_commands] == commands
    assert [one.name for one in app.registered_groups] == groups
