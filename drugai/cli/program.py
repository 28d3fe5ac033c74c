"""The commands, and where each is written: a command's module is imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Annotated, Any

import typer

import drugai

HELP = "Train property predictors, screen libraries, and see the hits. A model is a folder; a row that could not be used carries a code E_… and a reason."

# name → place of the function or of a group's program, and its line in the help of the whole (None: the group's own)
_COMMANDS: dict[str, tuple[str, str | None]] = {
    "train": ("models:train", "Train a predictor on measured molecules."),
    "evaluate": ("models:evaluate", "Score a model on molecules that it was not trained on."),
    "predict": ("models:predict", "Predict every row of a file; bad rows keep a reason."),
    "embed": ("models:embed", "Write the embedding of every row by a model's encoder."),
    "admet": ("admet:admet", "Predict 18 ADMET endpoints by the panel that ships."),
    "calibrate": ("models:calibrate", "Add intervals and an applicability domain to a model."),
    "distill": ("models:distill", "Train a small, fast student of a costly model."),
    "compare": ("models:compare", "Compare models on the same folds, with paired tests."),
    "screen": ("screening:screen", "Score a library of any size and keep the best."),
    "propose": ("proposing:propose", "Choose the next molecules to measure."),
    "library": ("screening:library_app", "Prepare a library that is screened again and again."),
    "report": ("reporting:report", "Write the page of a screen or an optimisation."),
    "demo": ("running:demo", "Train, screen and write a page, on data that RDKit has."),
    "doctor": ("running:doctor", "Check this installation and say how to mend it."),
    "serve": ("running:serve", "Serve the local app in a browser of this machine."),
    "data": ("data:app", None),
    "split": ("data:split", "Divide a data set into train, valid and test."),
    "audit": ("data:audit", "Find duplicates, contradictions and leakage."),
    "featurize": ("tables:featurize", "Write fingerprints and descriptors of every row."),
    "standardize": ("tables:standardize", "Standardize every row and say what was done."),
    "tune": ("tuning:tune_app", "Search settings with Optuna, on one or many machines."),
    "study": ("studies:study_app", None),
    "generate": ("generation:generate", "Sample new molecules."),
    "optimize": ("generation:optimize", "Find molecules that a scorer likes, with few calls."),
    "pretrain": ("pretraining:app", None),
    "link": ("linking:app", "Link drugs to diseases by text and structure."),
}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"drugai {drugai.__version__}")
        raise typer.Exit


def _main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")] = False,
    log: Annotated[str, typer.Option(help="debug, info, warning or error")] = "info",
) -> None:
    from drugai.runtime import configure_logging

    configure_logging(log)


def build(words: list[str] | None = None) -> typer.Typer:
    """The program of the command that ``words`` ask for, or of all: typer looks at every parameter of every command that it holds, a tenth of a second for all of them.

    Where no command can be told (help of the whole, an option with a value before the command, a typing error) it has all.
    """
    app = typer.Typer(
        name="drugai",
        help=HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_main)
    for name, place, line in _asked(words or []):
        found = _import(place)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name, short_help=line or found.info.help)
        else:
            app.command(name, short_help=line)(found)
    return app


def _asked(words: list[str]) -> Iterator[tuple[str, str, str | None]]:
    name = next((word for word in words if not word.startswith("-")), None)
    for one in [name] if name in _COMMANDS else _COMMANDS:
        yield one, *_COMMANDS[one]


def _import(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(f"drugai.cli.{module}"), name)
