"""``drugai pretrain generator``, ``drugai pretrain encoder`` and ``drugai pretrain graph``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(help="Train a network on molecules without labels.", no_args_is_help=True)


@app.command("generator")
def generator(
    corpus: Annotated[Path, typer.Argument(help="file of molecules")],
    out: Annotated[Path, typer.Option(help="folder for the prior")],
    minutes: Annotated[float, typer.Option(help="wall-clock budget over which the schedule anneals (0: by epochs)")] = 0.0,
    smiles: Annotated[str | None, typer.Option(help="SMILES column")] = None,
    seed: Annotated[int, typer.Option(help="of training")] = 0,
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


@app.command("encoder")
def encoder(
    corpus: Annotated[list[Path], typer.Argument(help="files of molecules; labels in them are not read")],
    out: Annotated[Path, typer.Option(help="folder for the encoder")],
    minutes: Annotated[float, typer.Option(help="budget of running time over which the schedule anneals (0: by epochs)")] = 0.0,
    smiles: Annotated[str | None, typer.Option(help="SMILES column")] = None,
    limit: Annotated[int | None, typer.Option(help="most molecules of each file, from its beginning")] = None,
    precision: Annotated[str, typer.Option(help="of the saved weights: fp32 or bf16")] = "fp32",
    seed: Annotated[int, typer.Option(help="of training")] = 0,
    set_: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, for example net.width=256 or loop.epochs=3; repeatable")] = None,
) -> None:
    """Train an encoder of SMILES (hidden tokens, fingerprint bits, descriptors) for --model lm. A killed run continues when started again."""
    from drugai.training.pretraining import PretrainConfig, pretrain_encoder

    run = pretrain_encoder(corpus, out, config=PretrainConfig().replace(**_settings(set_, minutes)), smiles=smiles, limit=limit, seed=seed, precision=precision)
    _show_sources(run.sources)
    if run.saved is None:
        typer.echo(f"{run.molecules:,} molecules; stopped; the same command goes on")
        return
    last = run.saved.record["history"]["epochs"][-1]
    typer.echo(f"{run.molecules:,} molecules; held out: " + ", ".join(f"{name} {value:.4f}" for name, value in last.items()))
    typer.echo(f"saved in {run.path}; `drugai train DATA --model lm --set encoder={run.path}` starts from it")


@app.command("graph")
def graph(
    corpus: Annotated[list[Path], typer.Argument(help="files of molecules; labels in them are not read")],
    out: Annotated[Path, typer.Option(help="folder for the encoder")],
    minutes: Annotated[float, typer.Option(help="budget of running time over which the schedule anneals (0: by epochs)")] = 0.0,
    smiles: Annotated[str | None, typer.Option(help="SMILES column")] = None,
    limit: Annotated[int | None, typer.Option(help="most molecules of each file, from its beginning")] = None,
    precision: Annotated[str, typer.Option(help="of the saved weights: fp32 or bf16")] = "fp32",
    seed: Annotated[int, typer.Option(help="of training")] = 0,
    set_: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, for example net.encoder=dmpnn or loop.epochs=3; repeatable")] = None,
) -> None:
    """Train a graph network (hidden atoms, fingerprint bits, descriptors) for --model gnn. A killed run continues when started again."""
    from drugai.training.graph_pretraining import GraphPretrainConfig, pretrain_graph

    run = pretrain_graph(corpus, out, config=GraphPretrainConfig().replace(**_settings(set_, minutes)), smiles=smiles, limit=limit, seed=seed, precision=precision)
    _show_sources(run.sources)
    if run.history.stopped == "asked":
        typer.echo(f"{run.molecules:,} molecules; stopped; the same command goes on")
        return
    typer.echo(f"{run.molecules:,} molecules; held out: " + ", ".join(f"{name} {value:.4f}" for name, value in run.history.epochs[-1].items()))
    typer.echo(f"saved in {run.path}; `drugai train DATA --model gnn --set encoder={run.path}` starts from it")


def _settings(pairs: list[str] | None, minutes: float) -> dict[str, Any]:
    from drugai.config import parse_settings

    timed = {"loop.minutes": minutes, "loop.epochs": 10_000} if minutes else {}
    return {**timed, **parse_settings(pairs or [])}


def _show_sources(sources: Any) -> None:
    """A line a file: rows kept, and why others were left out."""
    for source in sources:
        left = ", ".join(f"{count:,} {code}" for code, count in source["left_out"].items())
        typer.echo(f"{source['file']}: {source['kept']:,} of {source['rows']:,} rows" + (f"; left out {left}" if left else ""))
