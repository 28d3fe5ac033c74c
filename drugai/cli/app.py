"""The commands and where each is written."""

from __future__ import annotations

from typing import Annotated

import typer

import drugai
from drugai.cli import admet, data, generation, linking, models, pretraining, proposing, reporting, running, screening, studies, tables, tuning

app = typer.Typer(
    name="drugai",
    help="Train property predictors, screen libraries, and see the hits. A model is a folder; a row that could not be used carries a code E_… and a reason.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"drugai {drugai.__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version")] = False,
    log: Annotated[str, typer.Option(help="debug, info, warning or error")] = "info",
) -> None:
    from drugai.runtime import configure_logging

    configure_logging(log)


app.command("train", short_help="Train a predictor on measured molecules.")(models.train)
app.command("evaluate", short_help="Score a model on molecules that it was not trained on.")(models.evaluate)
app.command("predict", short_help="Predict every row of a file; bad rows keep a reason.")(models.predict)
app.command("embed", short_help="Write the embedding of every row by a model's encoder.")(models.embed)
app.command("admet", short_help="Predict 18 ADMET endpoints by the panel that ships.")(admet.admet)
app.command("calibrate", short_help="Add intervals and an applicability domain to a model.")(models.calibrate)
app.command("distill", short_help="Train a small, fast student of a costly model.")(models.distill)
app.command("compare", short_help="Compare models on the same folds, with paired tests.")(models.compare)
app.command("screen", short_help="Score a library of any size and keep the best.")(screening.screen)
app.command("propose", short_help="Choose the next molecules to measure.")(proposing.propose)
app.add_typer(screening.library_app, name="library", short_help="Prepare a library that is screened again and again.")
app.command("report", short_help="Write the page of a screen or an optimisation.")(reporting.report)
app.command("demo", short_help="Train, screen and write a page, on data that RDKit has.")(running.demo)
app.command("doctor", short_help="Check this installation and say how to mend it.")(running.doctor)
app.command("serve", short_help="Serve the local app in a browser of this machine.")(running.serve)

app.add_typer(data.app, name="data")
app.command("split", short_help="Divide a data set into train, valid and test.")(data.split)
app.command("audit", short_help="Find duplicates, contradictions and leakage.")(data.audit)
app.command("featurize", short_help="Write fingerprints and descriptors of every row.")(tables.featurize)
app.command("standardize", short_help="Standardize every row and say what was done.")(tables.standardize)
app.add_typer(tuning.tune_app, name="tune", short_help="Search settings with Optuna, on one or many machines.")
app.add_typer(studies.study_app, name="study")
app.command("generate", short_help="Sample new molecules.")(generation.generate)
app.command("optimize", short_help="Find molecules that a scorer likes, with few calls.")(generation.optimize)
generation.pretrain_app.command("encoder")(pretraining.encoder)
generation.pretrain_app.command("graph")(pretraining.graph)
app.add_typer(generation.pretrain_app, name="pretrain")
app.add_typer(linking.app, name="link", short_help="Link drugs to diseases by text and structure.")
