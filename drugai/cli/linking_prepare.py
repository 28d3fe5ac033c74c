"""What ``drugai link prepare`` and ``batch`` read and say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from drugai.linking.sources.claims import SourceReport
    from drugai.linking.tables import LinkTables


def prepared_folder() -> Path:
    """Where ``prepare`` puts the open tables unless another folder is named."""
    from drugai.data.download import cache_folder

    return cache_folder() / "linking" / "open"


def build(out: Path, raw: Path | None, tables: Path | None, sources: Sequence[str] | None, own: Sequence[str] | None) -> LinkTables:
    """The open tables, or tables that are there, with a user's own files merged in; written to ``out``."""
    from drugai.errors import ConfigError
    from drugai.linking.sources.assembling import build_open, read_upstream, upstream_files, write_prepared
    from drugai.linking.sources.brought import bring
    from drugai.linking.tables import read_tables

    files = upstream_files(raw)
    upstream = read_upstream(files)
    reports: list[SourceReport] = []
    if tables is not None:
        found = read_tables(tables)
    else:
        found, reports = build_open(files, sources=sources or None, upstream=upstream)
    brought: dict[str, Path] = {}
    for pair in own or ():
        name, equals, place = pair.partition("=")
        if not equals:
            raise ConfigError(f"--bring {pair!r}: expected ADAPTER=FILE, for example repodb=full.csv")
        brought[name] = Path(place)
    if brought:
        found, more = bring(found, upstream, brought)
        reports += more
    for one in reports:
        typer.echo(str(one))
    write_prepared(found, out, reports, {**files, **{path.name: path for path in brought.values()}})
    return found


def report(tables: LinkTables) -> Iterator[str]:
    """Lines: counts, sources with licences, leakage before and after masking, contradictory pairs."""
    from drugai.linking.sources.assembling import licences_of

    drawn = sum(bool(drug.smiles) for drug in tables.drugs)
    yield f"{tables.name}: {len(tables.drugs)} drugs ({drawn} with a structure), {len(tables.diseases)} diseases"
    yield "pairs: " + ", ".join(f"{kind} {count}" for kind, count in sorted(Counter(pair.kind for pair in tables.indications).items()))
    counts = Counter(source for pair in tables.indications for source in pair.sources)
    yield "sources: " + "; ".join(f"{source} {counts[source]} ({licence})" for source, licence in licences_of(tables).items())
    confirmed = Counter(min(3, len(pair.sources)) for found in tables.pairs().values() for pair in found)
    yield "treated or palliated, by number of sources: " + ", ".join(f"{n}{'+' if n == 3 else ''}: {confirmed[n]}" for n in sorted(confirmed))
    yield leakage_line(tables)
    against = tables.contradictions()
    yield f"contradictory pairs: {len(against)}"
    for positive, negative in against[:10]:
        yield f"  {positive.drug} - {positive.disease}: {positive.kind} ({', '.join(positive.sources)}) and {negative.kind} ({', '.join(negative.sources)})"


def leakage_line(tables: LinkTables) -> str:
    """How many texts name an indication of their own, as they are written and masked."""
    from drugai.linking.masking import joined, mask_tables, measure_leakage

    raw = measure_leakage(tables, {drug.id: drug.text() for drug in tables.drugs})
    masked = measure_leakage(tables, joined(mask_tables(tables)))
    return (
        f"texts that name an indication of their own: {raw['drugs']:.1%} of drugs, {raw['pairs']:.1%} of pairs; "
        f"masked {masked['drugs']:.1%}, {masked['pairs']:.1%}"
    )


def read_queries(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Header and rows of a CSV of queries."""
    import csv

    from drugai.errors import DatasetError
    from drugai.linking.batch import check_columns

    if not path.is_file():
        raise DatasetError(f"{path}: no such file")
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        header = list(reader.fieldnames or ())
        check_columns(header, str(path))
        return header, [{key: value or "" for key, value in row.items() if key is not None} for row in reader]
