"""``drugai link``: drugs to diseases and back, with evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from drugai.linking.linker import Linker

app = typer.Typer(help="Link drugs to diseases by text and structure; for research only.", no_args_is_help=True)

Model = Annotated[Path | None, typer.Option(help="a linker's folder; by default the one that ships, trained on the primer")]
Encoder = Annotated[str | None, typer.Option(help="folder of a text encoder in place of the packaged all-MiniLM-L6-v2")]
Tables = Annotated[Path | None, typer.Option(help="folder with drugs.csv, diseases.csv, indications.csv; by default the primer")]


def _load(model: Path | None, encoder: str | None) -> Linker:
    from drugai.linking import load_linker

    return load_linker(model, encoder=encoder)


@app.command()
def prepare(
    out: Annotated[Path | None, typer.Option(help="folder of the tables; by default the one in the cache, which `train` takes")] = None,
    raw: Annotated[Path | None, typer.Option(help="folder of the upstream files; by default through the dataset cards (DRUGAI_DATA, cache, download)")] = None,
    tables: Annotated[Path | None, typer.Option(help="begin with these tables in place of the open sources")] = None,
    source: Annotated[list[str] | None, typer.Option(help="only this upstream source; repeatable")] = None,
    bring: Annotated[list[str] | None, typer.Option(help="ADAPTER=FILE of your own: drugbank, repurposing_hub, repodb, drugmechdb; repeatable")] = None,
) -> None:
    """Build the open tables from their upstream files, and check them."""
    from drugai.cli.linking_prepare import build, prepared_folder, report

    place = out or prepared_folder()
    for line in report(build(place, raw, tables, source, bring)):
        typer.echo(line)
    typer.echo(f"→ {place}")


@app.command()
def check(tables: Tables = None) -> None:
    """Check tables: counts, sources, contradictory pairs, and how many texts name an indication of their own before and after masking."""
    from drugai.cli.linking_prepare import report
    from drugai.linking import read_primer, read_tables

    for line in report(read_tables(tables) if tables is not None else read_primer()):
        typer.echo(line)


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="folder of the linker")] = Path("runs/linker"),
    tables: Annotated[Path | None, typer.Option(help="folder with the three tables; by default what `prepare` built, and before that the primer")] = None,
    primer: Annotated[bool, typer.Option(help="train on the primer, as the linker that ships")] = False,
    seed: Annotated[int, typer.Option(help="of folds and training")] = 0,
    encoder: Encoder = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE of the LinkerConfig; repeatable")] = None,
) -> None:
    """Fit a linker on tables and keep it as a folder."""
    from drugai.cli.linking_prepare import prepared_folder
    from drugai.config import parse_settings
    from drugai.data.download import cache_folder
    from drugai.linking import LinkerConfig, fit_linker, read_primer, read_tables, save_linker
    from drugai.linking.fitting import Fusion
    from drugai.models.text import MINILM, TextEncoder

    if tables is None and not primer and (prepared_folder() / "indications.csv").is_file():
        tables = prepared_folder()
    found = read_tables(tables) if tables is not None and not primer else read_primer()
    typer.echo(f"{found.name}: {len(found.drugs)} drugs, {len(found.diseases)} diseases")
    config = LinkerConfig().replace(**parse_settings(set_ or []))

    def report(regime: str, fusion: Fusion) -> None:
        typer.echo(f"unseen {regime}: inner (MRR + AP) / 2 {fusion.score:.3f}, towers {fusion.epochs} steps")

    linker = fit_linker(found, config, seed=seed, encoder=TextEncoder(encoder or MINILM, cache=cache_folder() / "embeddings"), on_regime=report)
    save_linker(
        linker, out, notes={"seed": seed, "command": f"drugai link train --out {out.name}" + (" --primer" if primer else f" --tables {tables.name}" if tables else "") + f" --seed {seed}" + "".join(f" --set {one}" for one in set_ or [])}
    )
    typer.echo(f"→ {out}")


@app.command()
def pretrain(
    out: Annotated[Path, typer.Option(help="folder of the encoder; use it with --encoder")],
    ontology: Annotated[Path | None, typer.Option(help="an ontology in OBO format; by default the Disease Ontology of the dataset cards")] = None,
    tables: Annotated[Path | None, typer.Option(help="learn from the treated pairs of these tables as well")] = None,
    method: Annotated[str, typer.Option(help="lora or full")] = "lora",
    steps: Annotated[int, typer.Option(help="of the training")] = 200,
    seed: Annotated[int, typer.Option(help="of pairs and dropout")] = 0,
    encoder: Encoder = None,
) -> None:
    """Teach the text encoder what diseases are called: names, synonyms, definitions and parents of an ontology are pulled together."""
    from drugai.linking.pretraining import PretrainConfig, pretrain_encoder
    from drugai.linking.sources.assembling import ONTOLOGY, upstream_files

    place = ontology or upstream_files()[ONTOLOGY]
    config = PretrainConfig(method=method, steps=steps)
    history = pretrain_encoder(place, out, config, tables=tables, base=encoder, seed=seed)
    typer.echo(f"loss {history.epochs[0]['train_loss']:.3f} → {history.epochs[-1]['train_loss']:.3f} in {history.steps} steps, {history.seconds:.0f} s → {out}")


@app.command()
def evaluate(
    tables: Annotated[Path | None, typer.Option(help="folder with the three tables and splits_v1.json; by default linking/ in $DRUGAI_DATA")] = None,
    regime: Annotated[str, typer.Option(help="drug, disease or both: what is unseen")] = "drug",
    seed: Annotated[int, typer.Option(help="of the split and the training")] = 0,
) -> None:
    """Fit on train and valid of a benchmark and rank its test part, every component and the fusion; and how many texts leak an indication."""
    from drugai.cli.linking_prepare import leakage_line
    from drugai.cli.printing import table
    from drugai.data.download import cache_folder
    from drugai.linking import read_benchmark
    from drugai.linking.evaluation import evaluate_regime
    from drugai.models.text import TextEncoder

    benchmark = read_benchmark(tables)
    scores = evaluate_regime(benchmark, regime, seed=seed, encoder=TextEncoder(cache=cache_folder() / "embeddings"))
    header = ["method", *next(iter(scores.values()))]
    typer.echo(table(header, [[name, *(str(value) for value in row.values())] for name, row in scores.items()]))
    typer.echo(leakage_line(benchmark.tables))


Novel = Annotated[bool, typer.Option(help="leave known pairs out")]
Safe = Annotated[bool, typer.Option(help="leave out what a source calls contraindicated or no indication")]
Area = Annotated[str, typer.Option(help="only diseases of this area or of and below this ontology term")]
Phase = Annotated[int, typer.Option(help="only drugs that reached this phase; 4 for approved")]
Atc = Annotated[str, typer.Option(help="only drugs whose ATC code begins with this")]
Target = Annotated[str, typer.Option(help="only drugs that act on this gene")]
Popularity = Annotated[float, typer.Option(help="subtract this many standard deviations of log popularity")]


@app.command()
def rank(
    text: Annotated[str | None, typer.Argument(help="what a drug does, in English")] = None,
    disease: Annotated[str | None, typer.Option(help="a disease by name, identifier or description: ranks drugs")] = None,
    drug: Annotated[str | None, typer.Option(help="a known drug by name or id")] = None,
    smiles: Annotated[str | None, typer.Option(help="the drug's structure")] = None,
    example: Annotated[list[str] | None, typer.Option(help="with --disease: a drug that is known to help; repeatable")] = None,
    top: Annotated[int, typer.Option(help="hits")] = 10,
    words: Annotated[bool, typer.Option(help="find the words that carry each hit")] = True,
    novel: Novel = False,
    safe: Safe = False,
    area: Area = "",
    phase: Phase = 0,
    atc: Atc = "",
    target: Target = "",
    popularity: Popularity = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    model: Model = None,
    encoder: Encoder = None,
) -> None:
    """Rank diseases for a drug (text, --drug, --smiles), or drugs for a --disease, with evidence."""
    from drugai.errors import ConfigError
    from drugai.linking.filters import Filters

    if disease is not None and (text or drug or smiles):
        raise ConfigError("give either a drug (text, --drug, --smiles) or a --disease, not both")
    if disease is None and text is None and not (drug or smiles):  # an empty text is a question, if a poor one: it is answered with a warning
        raise ConfigError("nothing to rank: give a text, --drug, --smiles or --disease")
    filters = Filters(novel=novel, safe=safe, area=area, phase=phase, atc=atc, target=target)
    linker = _load(model, encoder)
    if disease is not None:
        found = linker.rank_drugs(disease, top=top, words=words, filters=filters, popularity=popularity, examples=example or ())
    else:
        found = linker.rank(text or "", drug=drug, smiles=smiles, top=top, words=words, filters=filters, popularity=popularity)
    typer.echo(json.dumps(found.to_dict(), indent=1) if as_json else str(found))


@app.command()
def batch(
    table: Annotated[Path, typer.Argument(help="CSV with a column text, drug, smiles or disease; other columns are kept")],
    out: Annotated[Path, typer.Option(help="CSV, TSV or Parquet: one row a query, hits in columns")],
    top: Annotated[int, typer.Option(help="hits a query")] = 5,
    novel: Novel = False,
    safe: Safe = False,
    area: Area = "",
    phase: Phase = 0,
    atc: Atc = "",
    target: Target = "",
    popularity: Popularity = 0.0,
    model: Model = None,
    encoder: Encoder = None,
) -> None:
    """Answer every row of a table; a row that cannot be answered stays, with a reason."""
    from drugai.cli.linking_prepare import read_queries
    from drugai.linking.batch import rank_rows
    from drugai.linking.filters import Filters
    from drugai.molecules.writing import write_table

    header, rows = read_queries(table)
    filters = Filters(novel=novel, safe=safe, area=area, phase=phase, atc=atc, target=target)
    answered = rank_rows(_load(model, encoder), rows, top=top, filters=filters, popularity=popularity)
    columns = list(answered[0]) if answered else header
    write_table(out, {name: [row[name] for row in answered] for name in columns})
    failed = sum(bool(row["reason"]) for row in answered)
    typer.echo(f"{len(answered)} queries, {failed} without an answer → {out}")


@app.command()
def mechanism(
    text: Annotated[str, typer.Argument(help="what a drug does")] = "",
    drug: Annotated[str | None, typer.Option(help="a known drug by name or id")] = None,
    smiles: Annotated[str | None, typer.Option(help="its structure")] = None,
    top: Annotated[int, typer.Option(help="terms")] = 5,
    model: Model = None,
    encoder: Encoder = None,
) -> None:
    """Mechanism and class of a drug, voted by the known drugs that are nearest to it."""
    for vote in _load(model, encoder).mechanism(text, drug=drug, smiles=smiles, top=top):
        typer.echo(f"{vote.share:4.0%}  {vote.term}  ({', '.join(vote.drugs)})")


@app.command()
def report(
    disease: Annotated[str, typer.Argument(help="name, identifier or description")],
    out: Annotated[Path, typer.Option(help="HTML file")],
    top: Annotated[int, typer.Option(help="drugs")] = 20,
    novel: Novel = False,
    safe: Safe = False,
    phase: Phase = 0,
    atc: Atc = "",
    target: Target = "",
    popularity: Popularity = 0.0,
    model: Model = None,
    encoder: Encoder = None,
) -> None:
    """Write the page of a disease: top drugs, structures, status, evidence."""
    from drugai.linking.filters import Filters
    from drugai.reports.linking import linking_page

    filters = Filters(novel=novel, safe=safe, phase=phase, atc=atc, target=target)
    typer.echo(str(linking_page(_load(model, encoder), disease, out, top=top, filters=filters, popularity=popularity)))


@app.command()
def similar(
    text: Annotated[str, typer.Argument(help="what a drug does")] = "",
    drug: Annotated[str | None, typer.Option(help="a known drug by name")] = None,
    smiles: Annotated[str | None, typer.Option(help="its structure")] = None,
    top: Annotated[int, typer.Option(help="drugs")] = 10,
    model: Model = None,
    encoder: Encoder = None,
) -> None:
    """Known drugs that resemble a drug by text and structure."""
    for neighbour in _load(model, encoder).similar(text, drug=drug, smiles=smiles, top=top):
        typer.echo(str(neighbour))


@app.command()
def explain(
    disease: Annotated[str, typer.Argument(help="a known disease")],
    text: Annotated[str, typer.Argument(help="what the drug does")] = "",
    drug: Annotated[str | None, typer.Option(help="a known drug by name")] = None,
    smiles: Annotated[str | None, typer.Option(help="its structure")] = None,
    model: Model = None,
    encoder: Encoder = None,
) -> None:
    """Why a drug and a disease are linked: shares of the components, neighbours, words."""
    from drugai.linking.queries import BANNER

    found = _load(model, encoder).explain(disease, text, drug=drug, smiles=smiles)
    typer.echo(f"{found.hit.name}  rank {found.hit.rank}  score {found.hit.score:.2f}  {found.hit.status}")
    typer.echo("shares: " + ", ".join(f"{one.component} {one.score:+.2f}" for one in found.contributions))
    typer.echo("near: " + "; ".join(map(str, found.hit.neighbours)))
    for side, words in (("drug", found.hit.words), ("disease", found.hit.other_words)):
        if words:
            typer.echo(f"words of the {side}: " + ", ".join(f"{word} {change:+.2f}" for word, change in words))
    typer.echo(BANNER)


@app.command()
def normalize(
    text: Annotated[str, typer.Argument(help="a disease in anyone's words")],
    top: Annotated[int, typer.Option(help="terms")] = 5,
    model: Model = None,
    encoder: Encoder = None,
) -> None:
    """Free text → disease terms; a label, not a diagnosis."""
    for term in _load(model, encoder).normalize(text, top=top):
        typer.echo(f"{term.name}  [{term.id}]  {term.score:.2f}  (matched {term.matched!r})")
