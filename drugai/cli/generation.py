"""``drugai generate``, ``drugai optimize`` and ``drugai pretrain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

pretrain_app = typer.Typer(help="Train a network on molecules without labels.", no_args_is_help=True)


@pretrain_app.command("generator")
def pretrain_generator(
    corpus: Annotated[Path, typer.Argument(help="file of molecules")],
    out: Annotated[Path, typer.Option(help="folder for the prior")],
    minutes: Annotated[float, typer.Option(help="wall-clock budget over which the schedule anneals (0: by epochs)")] = 0.0,
    smiles: Annotated[str | None, typer.Option(help="SMILES column")] = None,
    seed: int = 0,
    set_: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, for example model.width=512 or loop.epochs=3; repeatable")] = None,
) -> None:
    """Train a generator (a chemical language model). A killed run continues when started again."""
    from drugai.config import parse_settings
    from drugai.generation.fitting import GeneratorConfig
    from drugai.generation.pretraining import pretrain_generator as pretrain

    settings = parse_settings(set_ or [])
    if minutes:
        settings = {"loop.minutes": minutes, "loop.epochs": 100_000, **settings}
    run = pretrain(corpus, out, config=GeneratorConfig().replace(**settings), smiles=smiles, seed=seed)
    typer.echo(f"{run.molecules:,} molecules; " + (f"saved in {run.path}" if run.prior is not None else "stopped; the same command goes on"))


def generate(
    out: Annotated[Path, typer.Option(help="file to write, one SMILES a line")],
    n: Annotated[int, typer.Option("-n", help="molecules")] = 1000,
    prior: Annotated[str | None, typer.Option(help="folder of a prior or name of a shipped one")] = None,
    around: Annotated[Path | None, typer.Option(help="file of actives on which the prior is fine-tuned first")] = None,
    smiles: Annotated[str | None, typer.Option(help="SMILES column of --around")] = None,
    seed: int = 0,
    temperature: Annotated[float, typer.Option(help="below 1 more conventional, above 1 more varied")] = 1.0,
    top_p: Annotated[float, typer.Option(help="draw from the most probable tokens that together reach this")] = 1.0,
    unique: Annotated[bool, typer.Option(help="only readable molecules, each once; else raw samples")] = False,
) -> None:
    """Sample new molecules. The same seed gives the same file."""
    from drugai.generation.pretraining import generate_molecules
    from drugai.molecules.writing import atomic_file

    found, report, left_out = generate_molecules(
        n, prior=prior, around=around, smiles=smiles, seed=seed, temperature=temperature, top_p=top_p, unique=unique
    )
    with atomic_file(out) as stream:
        stream.write(("\n".join(found) + "\n").encode("ascii"))
    if left_out:
        typer.echo("not used for fine-tuning: " + ", ".join(f"{count} {code}" for code, count in left_out.items()))
    if report is not None:
        typer.echo(str(report))
    typer.echo(f"{len(found):,} molecules → {out}")


def optimize(
    scorer: Annotated[Path, typer.Option(help="TOML file of a scorer")],
    out: Annotated[Path, typer.Option(help="folder of the run; the same command continues a run that was stopped")],
    budget: Annotated[int, typer.Option(help="different molecules that may be scored")] = 10_000,
    method: Annotated[str, typer.Option(help="genetic, reinvent or hybrid")] = "genetic",
    prior: Annotated[str | None, typer.Option(help="folder of a prior or name of a shipped one; with genetic only for want of --start")] = None,
    start: Annotated[Path | None, typer.Option(help="file of molecules to start from")] = None,
    smiles: Annotated[str | None, typer.Option(help="SMILES column of --start")] = None,
    seed: int = 0,
    set_: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, for example population=200, or sigma=128 for reinvent; repeatable")] = None,
) -> None:
    """Find molecules that a scorer likes with few calls; prints the ten best. A killed run continues, its budget is spent once."""
    from drugai.cli.printing import table
    from drugai.config import parse_settings
    from drugai.generation.files import optimize_files

    found = optimize_files(
        scorer, out, budget=budget, method=method, prior=prior, start=start, smiles=smiles, seed=seed, settings=parse_settings(set_ or [])
    )
    rows = [[str(rank), f"{one.total:.3f}", one.origin, one.smiles] for rank, one in enumerate(found.top(10), start=1)]
    typer.echo(table(["rank", "total", "origin", "smiles"], rows, right=range(2)))
    unscored = sum(bool(one.reason) for one in found.scored)
    typer.echo(
        f"\n{len(found):,} molecules scored"
        + (f", {unscored:,} of them with a reason in place of a score" if unscored else "")
        + f"; area under the curve of the ten best {found.auc_top10:.3f}; {out}/top.csv"
    )
