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


app.command("train")(models.train)
app.command("evaluate")(models.evaluate)
app.command("predict")(models.predict)
app.command("embed")(models.embed)
app.command("admet")(admet.admet)
app.command("calibrate")(models.calibrate)
app.command("distill")(models.distill)
app.command("compare")(models.compare)
app.command("screen")(screening.screen)
app.command("propose")(proposing.propose)
app.add_typer(screening.library_app, name="library")
app.command("report")(reporting.report)
app.command("demo")(running.demo)
app.command("doctor")(running.doctor)
app.command("serve")(running.serve)

app.add_typer(data.app, name="data")
app.command("split")(data.split)
app.command("audit")(data.audit)
app.command("featurize")(tables.featurize)
app.command("standardize")(tables.standardize)
app.add_typer(tuning.tune_app, name="tune")
app.add_typer(studies.study_app, name="study")
app.command("generate")(generation.generate)
app.command("optimize")(generation.optimize)
generation.pretrain_app.command("encoder")(pretraining.encoder)
generation.pretrain_app.command("graph")(pretraining.graph)
app.add_typer(generation.pretrain_app, name="pretrain")
app.add_typer(linking.app, name="link")
