"""``drugai generate`` and ``drugai pretrain``."""

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
