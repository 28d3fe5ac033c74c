"""``drugai study``: look at studies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

study_app = typer.Typer(help="Studies: list, show, best, export, plot.", no_args_is_help=True)

Out = Annotated[Path, typer.Option(help="folder of the study's journal and page")]
Storage = Annotated[str | None, typer.Option(help="sqlite:///… or postgresql://… where the study lives, if not in a journal in --out")]


@study_app.command("list")
def list_studies(out: Out = Path("."), storage: Storage = None) -> None:
    """The studies of a folder or a database."""
    from drugai.cli.printing import table
    from drugai.tuning.reading import find_studies

    rows = [(entry.name, str(sum(entry.counts.values())), ", ".join(f"{key} {count}" for key, count in entry.counts.items()), entry.best) for entry in find_studies(storage or out)]
    typer.echo(table(("study", "trials", "states", "best"), rows, right=(1,)))


@study_app.command()
def show(name: str, out: Out = Path("."), storage: Storage = None, json_out: Annotated[bool, typer.Option("--json", help="as JSON")] = False) -> None:
    """Counts by state, the best trials, and which parameters mattered."""
    import json

    from drugai.tuning.describing import describe_study, study_summary

    summary = study_summary(storage or out, name)
    typer.echo(json.dumps(summary, indent=1) if json_out else describe_study(summary))


@study_app.command()
def best(
    name: str,
    out: Out = Path("."),
    storage: Storage = None,
    weights: Annotated[str | None, typer.Option(help="of several objectives, one each: chooses on the Pareto front, for example 0.8,0.2")] = None,
) -> None:
    """The best Config, as TOML for --config."""
    from drugai.cli.printing import parse_weights
    from drugai.tuning.describing import best_as_toml

    typer.echo(best_as_toml(storage or out, name, parse_weights(weights) if weights else None))


@study_app.command()
def export(name: str, to: Annotated[Path, typer.Option(help=".csv, .tsv or .parquet")], out: Out = Path("."), storage: Storage = None) -> None:
    """Every trial as a row of a table."""
    from drugai.molecules import write_table
    from drugai.tuning.reading import study_columns

    write_table(to, study_columns(storage or out, name))
    typer.echo(f"→ {to}")


@study_app.command()
def plot(
    name: str, out: Out = Path("."), storage: Storage = None, to: Annotated[Path | None, typer.Option(help="HTML file; NAME.html in --out by default")] = None
) -> None:
    """The study's page: history, importances, slices, parallel coordinates, time line, leaderboard."""
    from drugai.reports.study import study_page

    typer.echo(str(study_page(storage or out, name, to or out / f"{name}.html")))
