"""``drugai report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="folder of a finished screening run, or of a run of optimize")],
    out: Annotated[Path | None, typer.Option(help="HTML file; index.html in the run folder by default")] = None,
    model: Annotated[Path | None, typer.Option(help="a model whose card is shown; by default that of the run")] = None,
    part: Annotated[str | None, typer.Option(help="evaluate the model on this part of its own data (test) for its card")] = None,
    drawn: Annotated[int, typer.Option(help="hits whose structures are drawn")] = 1000,
    title: Annotated[str, typer.Option(help="head of the page")] = "",
    actives: Annotated[Path | None, typer.Option(help="file of known actives: the nearest stands beside each candidate (optimize)")] = None,
    reference: Annotated[Path | None, typer.Option(help="file of molecules with which the candidates are compared (optimize)")] = None,
) -> None:
    """Write the page of a screening run or of an optimisation: one HTML file that needs no network."""
    from drugai.generation.reading import is_run
    from drugai.reports.hits import evaluated_card, hits_page

    if is_run(run):
        from drugai.reports.candidates import candidates_page

        typer.echo(str(candidates_page(run, actives=actives, reference=reference, out=out, drawn=min(drawn, 100), title=title)))
        return
    card = evaluated_card(run, model, part) if part is not None else None
    page = hits_page(run, model=model if card is None else None, card=card, out=out, drawn=drawn, title=title)
    typer.echo(str(page))
