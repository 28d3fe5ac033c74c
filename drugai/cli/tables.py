"""``drugai featurize`` and ``standardize``: tables in, tables out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def featurize(
    data: Annotated[str, typer.Argument(help="card's name or file")],
    out: Annotated[Path, typer.Option(help=".csv, .tsv or .parquet with one row a molecule")],
    block: Annotated[list[str] | None, typer.Option(help="morgan, avalon, erg, maccs, descriptors …; repeatable")] = None,
    smiles: Annotated[str | None, typer.Option(help="SMILES column")] = None,
) -> None:
    """Fingerprints and descriptors of every row; a bad row is empty and has a reason."""
    from drugai.featurizers.tables import featurize_file

    summary = featurize_file(data, out, blocks=block or ["descriptors"], smiles=smiles)
    typer.echo(summary)


def standardize(
    data: Annotated[str, typer.Argument(help="card's name or file")],
    out: Annotated[Path, typer.Option(help=".csv, .tsv or .parquet with one row a molecule")],
    smiles: Annotated[str | None, typer.Option(help="SMILES column")] = None,
    salts: Annotated[bool, typer.Option(help="keep the largest fragment")] = True,
    charges: Annotated[bool, typer.Option(help="neutralize charges")] = True,
    tautomers: Annotated[bool, typer.Option(help="canonical tautomer (slow)")] = False,
) -> None:
    """Standardize every row and say what was done to it."""
    from drugai.featurizers.tables import standardize_file

    summary = standardize_file(data, out, smiles=smiles, salts=salts, charges=charges, tautomers=tautomers)
    typer.echo(summary)
