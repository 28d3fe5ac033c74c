"""``drugai admet``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def admet(
    data: Annotated[str | None, typer.Argument(help="card's name or file, read as a stream; needed except with --cards")] = None,
    out: Annotated[Path | None, typer.Option(help="table to write: .csv, .tsv, .parquet, the text ones also .gz; needed except with --cards")] = None,
    smiles: Annotated[str | None, typer.Option(help="SMILES column; inferred by its name if not given")] = None,
    level: Annotated[float, typer.Option(help="coverage of the intervals and class sets")] = 0.9,
    endpoint: Annotated[list[str] | None, typer.Option(help="an endpoint's name; repeatable; all by default")] = None,
    report: Annotated[Path | None, typer.Option(help="page to write: structures and values; one HTML file")] = None,
    max_errors: Annotated[int | None, typer.Option(help="exit with status 3 when more rows than this could not be used")] = None,
    cards: Annotated[bool, typer.Option("--cards", help="say what each endpoint is: what was measured, unit, data, test result")] = False,
) -> None:
    """ADMET of every row by the panel that ships: value, interval or class set, domain, percentile among approved drugs; a bad row has a reason."""
    from drugai.errors import ConfigError

    if cards:
        from drugai.cli.printing import table
        from drugai.predictors.admet_panel import load_panel

        panel = load_panel()
        rows = [one.row() for one in (panel.select(endpoint) if endpoint else panel).endpoints]
        typer.echo(table(["endpoint", "unit", "n", "metric", "test [95 %]", "what was measured", "data"], rows, right=(2,)))
        return
    if data is None or out is None:
        raise ConfigError("name a file of molecules and --out FILE, or ask for --cards")
    from drugai.predictors.admet_file import admet_file

    if report is None:
        summary = admet_file(data, out, smiles=smiles, level=level, endpoints=endpoint or ())
    else:
        from drugai.reports.admet import Gathered, admet_page

        gathered = Gathered()
        summary = admet_file(data, out, smiles=smiles, level=level, endpoints=endpoint or (), on_part=gathered.add)
    typer.echo(str(summary))
    if report is not None:
        typer.echo(f"→ {admet_page(gathered, report, source=Path(data).name)}")
    if max_errors is not None and summary.n_errors > max_errors:
        typer.echo(f"{summary.n_errors} rows could not be used, more than --max-errors {max_errors}", err=True)
        raise typer.Exit(3)
