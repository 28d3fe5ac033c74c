"""``drugai generate`` and ``drugai optimize``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def generate(
    out: Annotated[Path, typer.Option(help="file to write, one SMILES a line")],
    n: Annotated[int, typer.Option("-n", help="molecules")] = 1000,
    prior: Annotated[str | None, typer.Option(help="folder of a prior, or name of one that ships: prior_moses by default, prior_wide where molecules or fragments are given")] = None,
    scaffold: Annotated[str | None, typer.Option(help="SMILES with attachment points to be decorated: 'c1ccc([*:1])c([*:2])c1'")] = None,
    link: Annotated[str | None, typer.Option(help="two fragments to be joined: 'c1ccc([*:1])cc1.[*:2]N1CCOCC1'")] = None,
    prefix: Annotated[str | None, typer.Option(help="text that every SMILES begins with")] = None,
    around: Annotated[str | None, typer.Option(help="a SMILES, or a file of molecules, whose neighbours are wanted")] = None,
    fine_tune: Annotated[Path | None, typer.Option(help="file of actives on which the prior is trained further first")] = None,
    engine: Annotated[str, typer.Option(help="prior, or edits of the graph (for --scaffold, --link and --around)")] = "prior",
    min_similarity: Annotated[float, typer.Option(help="least Tanimoto similarity to a molecule of --around")] = 0.4,
    smiles: Annotated[str | None, typer.Option(help="SMILES column of the file")] = None,
    seed: Annotated[int, typer.Option(help="of sampling and training")] = 0,
    temperature: Annotated[float, typer.Option(help="below 1 more conventional, above 1 more varied")] = 1.0,
    top_p: Annotated[float, typer.Option(help="draw from the most probable tokens that together reach this")] = 1.0,
    unique: Annotated[bool, typer.Option(help="only readable molecules, each once; else raw samples (with a part given they are always different)")] = False,
) -> None:
    """Sample new molecules, free or with a part that is given. The same seed gives the same file."""
    from drugai.generation.generating import generate_molecules
    from drugai.molecules.writing import atomic_file

    found = generate_molecules(
        n, prior=prior, scaffold=scaffold, link=link, prefix=prefix, around=around, tuned_on=fine_tune, engine=engine, min_similarity=min_similarity,
        smiles=smiles, seed=seed, temperature=temperature, top_p=top_p, unique=unique,
    )  # fmt: skip
    with atomic_file(out) as stream:
        stream.write(("\n".join(found.smiles) + "\n").encode("ascii"))
    if found.left_out:
        typer.echo("given molecules that are not used: " + ", ".join(f"{count} {code}" for code, count in found.left_out.items()))
    for words in (found.report, found.words):
        if words:
            typer.echo(str(words))
    typer.echo(f"{len(found.smiles):,} molecules → {out}")


def optimize(
    out: Annotated[Path, typer.Option(help="folder of the run; the same command continues a run that was stopped")],
    scorer: Annotated[Path | None, typer.Option(help="TOML file of a scorer")] = None,
    stages: Annotated[Path | None, typer.Option(help="TOML file of stages ([[stage]] scorer, budget, until), in place of --scorer and --budget")] = None,
    budget: Annotated[int, typer.Option(help="different molecules that may be scored")] = 10_000,
    method: Annotated[str, typer.Option(help="genetic, reinvent, hybrid or pareto")] = "genetic",
    pareto: Annotated[bool, typer.Option("--pareto", help="--method pareto: the terms are objectives side by side, filters are constraints; front.csv has the front")] = False,
    until: Annotated[float | None, typer.Option(help="end when the mean total of the ten best reaches this")] = None,
    prior: Annotated[str | None, typer.Option(help="folder of a prior or name of a shipped one; with genetic only for want of --start")] = None,
    start: Annotated[str | None, typer.Option(help="file of molecules to start from, or one SMILES")] = None,
    keep: Annotated[list[str] | None, typer.Option(help="SMARTS or SMILES that the molecule of --start must keep; with points ([*:1]) it changes there alone; repeatable")] = None,
    min_similarity: Annotated[float | None, typer.Option(help="least Tanimoto similarity to the molecule of --start (0.4 with --keep)")] = None,
    smiles: Annotated[str | None, typer.Option(help="SMILES column of the file")] = None,
    seed: Annotated[int, typer.Option(help="of the search")] = 0,
    set_: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, for example population=200, or sigma=128 for reinvent; repeatable")] = None,
) -> None:
    """Find molecules that a scorer likes with few calls; prints the ten best. A killed run continues, its budget is spent once."""
    from drugai.cli.printing import table
    from drugai.config import parse_settings
    from drugai.generation.files import optimize_files

    run = optimize_files(
        scorer, out, budget=budget, method="pareto" if pareto else method, prior=prior, start=start, smiles=smiles, seed=seed, settings=parse_settings(set_ or []),
        stages=stages, until=until, keep=keep or [], min_similarity=min_similarity,
    )  # fmt: skip
    found = run.found
    rows = [[str(rank), f"{one.total:.3f}", one.origin, one.smiles] for rank, one in enumerate(found.top(10), start=1)]
    typer.echo(table(["rank", "total", "origin", "smiles"], rows, right=range(2)))
    unscored = sum(bool(one.reason) for one in found.scored)
    typer.echo(
        f"\n{len(found):,} molecules scored"
        + (f", {unscored:,} of them with a reason in place of a score" if unscored else "")
        + f"; area under the curve of the ten best {found.auc_top10:.3f}; {out}/top.csv"
    )
    for number, stage in enumerate(run.stages, start=1):
        typer.echo(f"stage {number}: {len(stage):,} of {stage.budget:,} molecules, best {stage.top(1)[0].total:.3f}")
    if len(found.objectives) > 1:
        typer.echo(f"{len(found.front):,} molecules that no other beats in {', '.join(found.objectives)} at once; {out}/front.csv")
    if run.lead is not None:
        pairs = [[f"{one.total - run.lead.lead.total:+.3f}", str(exchange), one.smiles] for one, exchange in run.lead.pairs[:10]]
        typer.echo(f"\n{len(run.lead.pairs):,} matched pairs with the molecule to start from (total {run.lead.lead.total:.3f}); {out}/pairs.csv")
        typer.echo(table(["change", "exchange", "smiles"], pairs, right=[0]))
