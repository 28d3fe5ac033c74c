"""``drugai data``, ``split`` and ``audit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(help="Data sets: list, show, fetch, path.", no_args_is_help=True)


@app.command("list")
def list_cards(group: Annotated[str | None, typer.Option(help="only this group")] = None) -> None:
    """Every data set with its rows, tasks and licence."""
    from drugai.cli.printing import table
    from drugai.data import cards

    found = [card for card in cards().values() if group is None or card.group == group]
    rows = [(card.name, card.group, f"{card.rows:,}", _tasks(card), card.licence) for card in sorted(found, key=lambda card: (card.group, card.name))]
    typer.echo(table(("name", "group", "rows", "tasks", "licence"), rows, right=(2,)))
    typer.echo(f"\n{len(rows)} data sets; `drugai data show NAME` tells more, `drugai data fetch NAME` downloads (or set DRUGAI_DATA to a folder that has them)")


@app.command()
def show(name: str) -> None:
    """All that is known about one data set."""
    from drugai.data import card, locate

    found = card(name)
    typer.echo(f"{found.name}: {found.title}")
    lines = [("rows", f"{found.rows:,}"), ("licence", found.licence), ("licence note", found.licence_note), ("source", found.source)]
    lines += [("citation", citation) for citation in found.citation]
    lines += [("split", found.split), ("metric", found.metric), ("smiles column", found.smiles)]
    for label, text in lines:
        if text:
            typer.echo(f"  {label:14s} {text}")
    for task in found.tasks:
        typer.echo(f"  task           {task.task.label}  ({task.kind}, column {task.column!r})")
    for file in found.files[:6]:
        where = file.url or f"in package {file.package}"
        typer.echo(f"  file           {file.path}  {file.bytes:,} bytes, sha256 {file.sha256[:16]}…\n                 {where}")
    if len(found.files) > 6:
        typer.echo(f"                 and {len(found.files) - 6} more files")
    for problem in found.problems:
        typer.echo(f"  known problem  {problem}")
    place = locate(name)
    typer.echo(f"  here           {place if place else f'no; drugai data fetch {name}'}")


@app.command()
def fetch(name: str) -> None:
    """Download a data set (checked by sha256) unless it is here already."""
    from drugai.data import fetch_files

    for path in fetch_files(name):
        typer.echo(path)


@app.command()
def path(name: str) -> None:
    """Where a data set lies on this machine."""
    from drugai.data import locate
    from drugai.errors import DatasetError

    place = locate(name)
    if place is None:
        raise DatasetError(f"{name} is not on this machine; drugai data fetch {name}, or set DRUGAI_DATA to a folder that has it")
    typer.echo(place)


def split(
    data: Annotated[str, typer.Argument(help="card's name or file")],
    out: Annotated[Path, typer.Option(help="table with one row a molecule and its part")],
    method: Annotated[str, typer.Option(help="scaffold, scaffold_balanced, random, butina, time, group, given")] = "scaffold",
    fractions: Annotated[str, typer.Option(help="train, valid, test")] = "0.8,0.1,0.1",
    column: Annotated[str | None, typer.Option(help="column for time, group or given")] = None,
    smiles: Annotated[str | None, typer.Option(help="SMILES column")] = None,
    target: Annotated[list[str] | None, typer.Option(help="target column; repeatable")] = None,
    seed: Annotated[int, typer.Option(help="of the split")] = 0,
) -> None:
    """Divide a data set into train, valid and test, duplicates kept together."""
    import numpy as np

    from drugai.cli.printing import parse_fractions
    from drugai.data import read_dataset
    from drugai.data import split as divide
    from drugai.molecules import write_table

    found = read_dataset(data, smiles=smiles, targets=target if target else None)
    parts = divide(found, method=method, fractions=parse_fractions(fractions), seed=seed, column=column)
    label = np.full(len(found), "", dtype=object)
    for name in ("train", "valid", "test"):
        label[parts.part(name)] = name
    columns: dict[str, Any] = {"id": list(found.ids), "smiles": list(found.smiles)}
    columns |= {task.name: found.y[:, index] for index, task in enumerate(found.tasks)}
    write_table(out, {**columns, "part": label.tolist()})
    unplaced = len(found) - len(parts.train) - len(parts.valid) - len(parts.test)
    typer.echo(f"train {len(parts.train)}, valid {len(parts.valid)}, test {len(parts.test)}" + (f", in no part {unplaced} (unreadable or unlabelled)" if unplaced else ""))
    typer.echo(f"split checksum {parts.checksum[:16]}  → {out}")


def audit(
    data: Annotated[str, typer.Argument(help="card's name or file")],
    method: Annotated[str | None, typer.Option("--split", help="also look for leakage across the parts of this split")] = None,
    column: Annotated[str | None, typer.Option(help="column for time, group or given")] = None,
    smiles: Annotated[str | None, typer.Option(help="SMILES column")] = None,
    target: Annotated[list[str] | None, typer.Option(help="target column; repeatable")] = None,
    seed: Annotated[int, typer.Option(help="of the split")] = 0,
) -> None:
    """Duplicates, contradictions, unreadable rows, and leakage between parts."""
    from drugai.data import audit as look
    from drugai.data import read_dataset
    from drugai.data import split as divide

    found = read_dataset(data, smiles=smiles, targets=target if target else None)
    parts = divide(found, method=method, seed=seed, column=column) if method else None
    typer.echo(str(look(found, parts)))


def _tasks(card: object) -> str:
    tasks = getattr(card, "tasks", ())
    count = getattr(card, "task_count", 0) or len(tasks)
    if not count:
        return "-"
    return ", ".join(task.task.label for task in tasks) if len(tasks) and len(tasks) <= 2 and count <= 2 else f"{count} tasks"


@app.command()
def curate(
    export: Annotated[Path, typer.Argument(help="activity export of ChEMBL: web site (; or , separated) or programming interface")],
    out: Annotated[Path, typer.Option(help="table with one row a molecule, target and type: .csv, .tsv or .parquet; the fate of every row goes beside it")],
    kind: Annotated[list[str] | None, typer.Option("--type", help="IC50, Ki …; repeatable; all by default")] = None,
    target: Annotated[list[str] | None, typer.Option(help="ChEMBL id of a target; repeatable; all by default")] = None,
    spread: Annotated[float, typer.Option(help="log units by which measurements of one molecule may differ")] = 1.0,
) -> None:
    """Raw ChEMBL activities to pChEMBL values: units, relations, replicates, salts; the fate of every row is written."""
    from drugai.data.curating import curate_chembl
    from drugai.molecules.appending import TableWriter

    found = curate_chembl(export, types=kind or None, targets=target or None, spread=spread)
    names = ("smiles", "molecule", "target", "type", "pchembl", "n", "spread")
    fates = out.with_name(f"{out.name.partition('.')[0]}.rows.csv")
    with TableWriter(out) as writer:
        writer.append({name: [row[name] for row in found.molecules] for name in names})
    with TableWriter(fates) as writer:
        writer.append({"row": found.places, "fate": found.fates})
    for fate, count in found.counts().items():
        typer.echo(f"{count:8,d}  {fate}")
    typer.echo(f"{len(found.fates):,} rows → {len(found.molecules):,} molecules in {out}; the fate of every row in {fates}")
