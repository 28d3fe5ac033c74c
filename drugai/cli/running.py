"""``drugai demo`` and ``drugai doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option(help="folder for the model, the screening run and the page; an earlier demo there is replaced")] = Path("runs/demo"),
    seed: Annotated[int, typer.Option(help="of the split and the training")] = 0,
    top: Annotated[int, typer.Option(help="hits to keep")] = 1000,
    workers: Annotated[int | None, typer.Option(help="processes of the screen; two by default")] = None,
) -> None:
    """Train on 1,017 measured molecules, screen 15,000, write a page with the hits: everything on data that RDKit carries."""
    import logging
    import sys

    from drugai.demo import run_demo

    if sys.stderr.isatty():  # the story is for people; off a terminal the log has a JSON line an epoch and a shard
        logging.getLogger("drugai").setLevel(logging.WARNING)
    run_demo(out, seed=seed, top=top, workers=workers, say=typer.echo)


def doctor(model: Annotated[Path | None, typer.Option(help="a saved model to look at too")] = None) -> None:
    """Check this installation: versions, processor, data, extras, models, and a round trip of each part. Exit status 1 if something needed is broken."""
    from drugai.doctor import is_broken, run_doctor

    checks = []
    for check in run_doctor(model):
        typer.echo(str(check))
        checks.append(check)
    notes = sum(check.status == "note" for check in checks)
    if is_broken(checks):
        typer.echo(f"\n{sum(check.status == 'broken' for check in checks)} broken; the arrows say how to mend it")
        raise typer.Exit(1)
    typer.echo("\neverything that is needed works" + (f"; {notes} notes" if notes else ""))
