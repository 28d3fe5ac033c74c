"""``drugai screen``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer


def screen(
    data: Annotated[str, typer.Argument(help="library: a file (SMILES, CSV, TSV, SDF, Parquet, gzipped or not) or a card's name")],
    out: Annotated[str, typer.Option(help="folder of the run, or its URI in an object store; the same command continues a run that was stopped")],
    model: Annotated[Path | None, typer.Option(help="a model's folder, to rank by one of its tasks")] = None,
    rank_by: Annotated[str | None, typer.Option(help="TASK:max or TASK:min of the model")] = None,
    scorer: Annotated[Path | None, typer.Option(help="TOML file of a scorer or a cascade, in place of a model")] = None,
    window: Annotated[list[str] | None, typer.Option(help="PROPERTY=LOW:HIGH that a molecule must keep to, as weight=200:500 or logp=:5; repeatable")] = None,
    alerts: Annotated[list[str] | None, typer.Option(help="set of structural alerts of which none may be there: PAINS, BRENK, NIH, ZINC, CHEMBL; repeatable")] = None,
    must: Annotated[list[str] | None, typer.Option(help="SMARTS that must match, with limits of the number as '[OH]=1:3'; repeatable")] = None,
    must_not: Annotated[list[str] | None, typer.Option(help="SMARTS that must not match; repeatable")] = None,
    min_similarity: Annotated[float | None, typer.Option(help="least Tanimoto similarity to the nearest of --actives")] = None,
    max_similarity: Annotated[float | None, typer.Option(help="greatest such similarity, for novel hits")] = None,
    top: Annotated[int, typer.Option(help="hits to keep")] = 1000,
    smiles: Annotated[str | None, typer.Option(help="SMILES column; inferred by its name if not given")] = None,
    keep: Annotated[list[str] | None, typer.Option(help="column to carry over; repeatable")] = None,
    workers: Annotated[int, typer.Option(help="processes")] = 1,
    shard_size: Annotated[int, typer.Option(help="records a shard")] = 100_000,
    shard_slice: Annotated[
        str | None, typer.Option(help="i/n: only every n-th shard from the i-th (from 0), for job arrays; at the end run once without it")
    ] = None,
    trusted: Annotated[bool, typer.Option(help="the SMILES are RDKit's own canonical ones: read without sanitization, about twice as fast")] = False,
    graphs: Annotated[Path | None, typer.Option(help="store made of this library by `drugai library build`: graph networks then parse nothing")] = None,
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda …")] = "auto",
    diverse: Annotated[int, typer.Option(help="mark so many hits as a diverse pick")] = 0,
    actives: Annotated[Path | None, typer.Option(help="file of known actives; hits get their similarity to the nearest")] = None,
    labels: Annotated[str | None, typer.Option(help="column of 1 (active) and 0: EF1 %, BEDROC and ROC go into the summary")] = None,
    format_: Annotated[list[str] | None, typer.Option("--format", help="csv, parquet, sdf, tsv, smi, html (a page of the hits); repeatable")] = None,
    deadline: Annotated[float, typer.Option(help="seconds that 4,096 molecules may take")] = 300.0,
    memory_gb: Annotated[float, typer.Option(help="GB that a worker may take beside its models")] = 4.0,
    max_errors: Annotated[int | None, typer.Option(help="exit with status 3 when more rows than this could not be used")] = None,
    engine: Annotated[str, typer.Option(help="local: processes of this machine; ray: Ray actors, here or on a cluster")] = "local",
    scratch: Annotated[Path | None, typer.Option(help="folder of this machine for a run whose --out is a URI")] = None,
    ray_address: Annotated[str | None, typer.Option(help="of a Ray cluster; by default RAY_ADDRESS, or a Ray of its own on this machine")] = None,
    gpus_per_worker: Annotated[float, typer.Option(help="GPUs, or a share of one, that Ray reserves for each worker")] = 0.0,
) -> None:
    """Score a library of any size and keep the best; every row is kept, a bad one with its reason."""
    from drugai.cli.printing import table
    from drugai.errors import ConfigError
    from drugai.screening.filters import filter_terms
    from drugai.screening.run import screen as run
    from drugai.screening.selection import read_actives

    if (model is None) == (scorer is None):
        raise ConfigError("give either --model (with --rank-by) or --scorer")
    chosen = model if model is not None else scorer
    assert chosen is not None
    similar = min_similarity is not None or max_similarity is not None
    filters = filter_terms(
        windows=window or (), alerts=alerts or (), must=must or (), must_not=must_not or (), at_least=min_similarity, at_most=max_similarity,
        similar_to=read_actives(actives) if actives is not None and similar else None,
    )  # fmt: skip
    names = format_ or ["csv", "parquet"]
    report, close = _record_progress()
    try:
        hits = run(
            data, chosen, out=out, top=top, rank_by=rank_by, filters=filters, workers=workers, shard_size=shard_size, shard_slice=_slice(shard_slice), smiles=smiles, keep=keep or (),
            trusted=trusted, graphs=graphs, precision=precision, device=device, diverse=diverse, actives=actives, labels=labels, formats=[name for name in names if name != "html"],
            max_errors=max_errors, deadline=deadline, memory_gb=memory_gb, engine=engine, ray_address=ray_address, gpus_per_worker=gpus_per_worker, scratch=scratch, on_progress=report,
        )  # fmt: skip
    finally:
        close()
    found = hits.summary
    header, *rows = hits.best(10)
    typer.echo(table(header, rows, right=range(3)))
    bad = ", ".join(f"{count:,} {code}" for code, count in found["reasons"].items())
    typer.echo(
        f"\n{found['n']:,} molecules, {found['n_bad']:,} could not be used"
        + (f" ({bad})" if bad else "")
        + f"; {found['rate']:,.0f} a second, {found['peak_memory_mb']:,} MB"
    )
    if "enrichment" in found:
        typer.echo("  ".join(f"{name} {value:.3f}" for name, value in found["enrichment"].items() if isinstance(value, float)))
    if found.get("recall"):
        each = found["recall"]
        typer.echo(f"of the full model's best {each['top']} among {each['audited']:,} audited molecules the cascade kept {each['kept']} (recall {each['recall']:.2f})")
    if hits.complete and "html" in names:
        from drugai.reports.hits import hits_page

        typer.echo(f"page → {hits_page(hits)}")
    if hits.complete:
        typer.echo(f"{len(hits):,} hits → {out.rstrip('/')}/{found['files'].get('csv', 'hits.parquet')}")
    else:
        typer.echo(f"{found['shards']['n']} shards of this slice are finished in {out}; run once without --shard-slice for the hits")
    if max_errors is not None and hits.n_errors > max_errors:
        typer.echo(f"{hits.n_errors} rows could not be used, more than --max-errors {max_errors}", err=True)
        raise typer.Exit(3)


library_app = typer.Typer(help="Libraries that are screened again.", no_args_is_help=True)


@library_app.command("build")
def build(
    data: Annotated[str, typer.Argument(help="library: a file (SMILES, CSV, TSV, SDF, Parquet, gzipped or not) or a card's name")],
    out: Annotated[Path, typer.Option(help="folder of the store; the same command continues a build that was stopped")],
    smiles: Annotated[str | None, typer.Option(help="SMILES column; inferred by its name if not given")] = None,
    workers: Annotated[int, typer.Option(help="processes")] = 1,
    shard_size: Annotated[int, typer.Option(help="records a part")] = 100_000,
    trusted: Annotated[bool, typer.Option(help="the SMILES are RDKit's own canonical ones; the screen then needs --trusted too")] = False,
    deadline: Annotated[float, typer.Option(help="seconds that 4,096 molecules may take")] = 300.0,
    memory_gb: Annotated[float, typer.Option(help="GB that a worker may take")] = 4.0,
) -> None:
    """Write the molecular graphs of a library to disk, about 300 bytes a molecule, for `drugai screen --graphs`."""
    from drugai.screening.building import build_library

    report, close = _record_progress()
    try:
        found = build_library(
            data, out, workers=workers, shard_size=shard_size, smiles=smiles, trusted=trusted, deadline=deadline, memory_gb=memory_gb, on_progress=report
        )
    finally:
        close()
    typer.echo(str(found))


def _slice(text: str | None) -> tuple[int, int] | None:
    from drugai.errors import ConfigError

    if text is None:
        return None
    first, _, second = text.partition("/")
    if not (first.isdigit() and second.isdigit()):
        raise ConfigError(f"--shard-slice {text!r}: expected i/n, for example 0/8")
    return int(first), int(second)


def _record_progress() -> tuple[Callable[[int, int], None] | None, Callable[[], None]]:
    """A progress bar over the library's records on a terminal, None off it (the log then has a JSON line a shard); and the function that closes it."""
    import sys

    if not sys.stderr.isatty():
        return None, lambda: None
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("screening"), BarColumn(), TextColumn("{task.completed:,.0f}/{task.total:,.0f} molecules"), TimeElapsedColumn(), TimeRemainingColumn(),
        console=Console(stderr=True),
    )  # fmt: skip
    bar.start()
    task = bar.add_task("records", total=1)

    def report(done: int, total: int) -> None:
        bar.update(task, completed=done, total=max(total, 1))

    return report, bar.stop
