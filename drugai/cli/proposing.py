"""``drugai propose``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def propose(
    data: Annotated[str, typer.Argument(help="library to choose from: a file or a card's name")],
    model: Annotated[Path, typer.Option(help="folder of a model")],
    out: Annotated[Path, typer.Option(help="folder of the round")],
    n: Annotated[int, typer.Option("--n", "-n", help="molecules to propose")] = 96,
    strategy: Annotated[str, typer.Option(help="greedy, ucb, ei, thompson or random")] = "ucb",
    rank_by: Annotated[str | None, typer.Option(help="TASK:max or TASK:min of the model")] = None,
    beta: Annotated[float, typer.Option(help="weight of the spread in ucb")] = 1.0,
    most_similar: Annotated[float, typer.Option(help="largest Tanimoto similarity between two of the batch; below 1 makes it diverse")] = 1.0,
    cost: Annotated[str | None, typer.Option(help="column of the library with the price of each molecule")] = None,
    budget: Annotated[float | None, typer.Option(help="what the batch may cost in all")] = None,
    measured: Annotated[
        Path | None, typer.Option(help="values that came back, for instance the last round's proposals.csv with its last column filled in; the model learns them first")
    ] = None,
    best: Annotated[float | None, typer.Option(help="best value so far, for ei; by default that of the model's data")] = None,
    smiles: Annotated[str | None, typer.Option(help="SMILES column; inferred by its name if not given")] = None,
    workers: Annotated[int, typer.Option(help="processes")] = 1,
    seed: Annotated[int, typer.Option(help="of random draws and of the fit")] = 0,
) -> None:
    """Choose the next molecules to measure; with --measured, learn what came back first."""
    from drugai.cli.printing import table
    from drugai.screening.proposing import propose as run

    found = run(
        data, model, out=out, n=n, strategy=strategy, rank_by=rank_by, beta=beta, most_similar=most_similar, cost=cost, budget=budget, measured=measured, best=best,
        seed=seed, smiles=smiles, workers=workers,
    )  # fmt: skip
    names = [name for name in found.table if name not in ("smiles", "cost") and not name.startswith("measured_")]
    rows = [[_short(found.table[name][row]) for name in names] + [found.table["smiles"][row]] for row in range(min(10, len(found)))]
    typer.echo(table([*names, "smiles"], rows, right=range(len(names))))
    told = found.summary
    typer.echo(f"\n{told['proposed']} of {told['asked']} asked, {told['known']:,} measured molecules left out → {out / 'proposals.csv'}")


def _short(value: object) -> str:
    return f"{value:.4g}" if hasattr(value, "dtype") and value.dtype.kind == "f" else str(value)
