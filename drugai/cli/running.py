"""``drugai demo``, ``drugai doctor`` and ``drugai serve``."""

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
    import time

    from drugai.doctor import is_broken, run_doctor

    began, checks = time.perf_counter(), []
    for check in run_doctor(model):
        typer.echo(str(check))
        checks.append(check)
    notes = sum(check.status == "note" for check in checks)
    if is_broken(checks):
        typer.echo(f"\n{sum(check.status == 'broken' for check in checks)} broken; the arrows say how to mend it")
        raise typer.Exit(1)
    typer.echo("\neverything that is needed works" + (f"; {notes} notes" if notes else "") + f" ({time.perf_counter() - began:.0f} s)")


def serve(
    models: Annotated[list[Path] | None, typer.Option(help="folder searched for models; repeatable")] = None,
    out: Annotated[Path, typer.Option(help="folder of the jobs, which are kept until they are removed")] = Path("runs/app"),
    port: Annotated[int, typer.Option(help="on 127.0.0.1, the only address it listens on; 0 takes a free one")] = 8765,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="open the page in a browser")] = False,
) -> None:
    """Serve the local app: predict, screen, link and optimise in a browser on this machine. Ctrl-C ends it; needs the extra app."""
    import webbrowser

    from drugai.app import serve as run

    def say(address: str) -> None:
        typer.echo(f"{address}\nfor this machine alone; Ctrl-C ends it")
        if open_:
            webbrowser.open(address)

    run(out, models or [Path("runs")], port=port, say=say)
