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
def prepare(tables: Tables = None) -> None:
    """Check the tables: counts, contradictory pairs, and how many texts name an indication of their own before and after masking."""
    from drugai.linking import read_primer, read_tables
    from drugai.linking.masking import mask_tables, measure_leakage

    found = read_tables(tables) if tables is not None else read_primer()
    typer.echo(f"{found.name}: {len(found.drugs)} drugs ({sum(bool(drug.smiles) for drug in found.drugs)} with a structure), {len(found.diseases)} diseases")
    kinds: dict[str, int] = {}
    for pair in found.indications:
        kinds[pair.kind] = kinds.get(pair.kind, 0) + 1
    typer.echo("pairs: " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    raw = measure_leakage(found, {drug.id: drug.text() for drug in found.drugs})
    masked = measure_leakage(found, mask_tables(found))
    typer.echo(
        f"texts that name an indication of their own: {raw['drugs']:.1%} of drugs, {raw['pairs']:.1%} of pairs; masked {masked['drugs']:.1%}, {masked['pairs']:.1%}"
    )
    against = found.contradictions()
    typer.echo(f"contradictory pairs: {len(against)}")
    for positive, negative in against[:10]:
        typer.echo(
            f"  {positive.drug} - {positive.disease}: {positive.kind} ({', '.join(positive.sources)}) and {negative.kind} ({', '.join(negative.sources)})"
        )


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="folder of the linker")],
    tables: Tables = None,
    seed: Annotated[int, typer.Option(help="of folds and training")] = 0,
    encoder: Encoder = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE of the LinkerConfig; repeatable")] = None,
) -> None:
    """Fit a linker on tables and keep it as a folder."""
    from drugai.config import parse_settings
    from drugai.data.download import cache_folder
    from drugai.linking import LinkerConfig, fit_linker, read_primer, read_tables, save_linker
    from drugai.linking.fitting import Fusion
    from drugai.models.text import MINILM, TextEncoder

    found = read_tables(tables) if tables is not None else read_primer()
    config = LinkerConfig().replace(**parse_settings(set_ or []))

    def report(regime: str, fusion: Fusion) -> None:
        typer.echo(f"unseen {regime}: inner (MRR + AP) / 2 {fusion.score:.3f}, towers {fusion.epochs} steps")

    linker = fit_linker(found, config, seed=seed, encoder=TextEncoder(encoder or MINILM, cache=cache_folder() / "embeddings"), on_regime=report)
    save_linker(
        linker, out, notes={"seed": seed, "command": f"drugai link train --out {out.name}" + (f" --tables {tables.name}" if tables else "") + f" --seed {seed}"}
    )
    typer.echo(f"→ {out}")


@app.command()
def evaluate(
    tables: Annotated[Path | None, typer.Option(help="folder with the three tables and splits_v1.json; by default linking/ in $DRUGAI_DATA")] = None,
    regime: Annotated[str, typer.Option(help="drug, disease or both: what is unseen")] = "drug",
    seed: Annotated[int, typer.Option(help="of the split and the training")] = 0,
) -> None:
    """Fit on train and valid of a benchmark and rank its test part, every component and the fusion."""
    from drugai.cli.printing import table
    from drugai.data.download import cache_folder
    from drugai.linking import read_benchmark
    from drugai.linking.evaluation import evaluate_regime
    from drugai.models.text import TextEncoder

    scores = evaluate_regime(read_benchmark(tables), regime, seed=seed, encoder=TextEncoder(cache=cache_folder() / "embeddings"))
    header = ["method", *next(iter(scores.values()))]
    typer.echo(table(header, [[name, *(str(value) for value in row.values())] for name, row in scores.items()]))


@app.command()
def rank(
    text: Annotated[str, typer.Argument(help="what a drug does, in English")] = "",
    disease: Annotated[str | None, typer.Option(help="a disease by name, identifier or description: ranks drugs")] = None,
    drug: Annotated[str | None, typer.Option(help="a known drug by name")] = None,
    smiles: Annotated[str | None, typer.Option(help="the drug's structure")] = None,
    top: Annotated[int, typer.Option(help="hits")] = 10,
    words: Annotated[bool, typer.Option(help="find the words that carry each hit")] = True,
    novel: Annotated[bool, typer.Option(help="leave known pairs out")] = False,
    area: Annotated[str | None, typer.Option(help="only diseases of this area or below this ontology term")] = None,
    popularity: Annotated[float, typer.Option(help="subtract this much of the diseases' popularity")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    model: Model = None,
    encoder: Encoder = None,
) -> None:
    """Rank diseases for a drug (text, --drug, --smiles), or drugs for a --disease, with evidence."""
    from drugai.errors import ConfigError

    if disease is not None and (text or drug or smiles):
        raise ConfigError("give either a drug (text, --drug, --smiles) or a --disease, not both")
    if disease is None and not (text or drug or smiles):
        raise ConfigError("nothing to rank: give a text, --drug, --smiles or --disease")
    linker = _load(model, encoder)
    if disease is not None:
        found = linker.rank_drugs(disease, top=top, words=words, novel=novel)
    else:
        found = linker.rank(text, drug=drug, smiles=smiles, top=top, words=words, novel=novel, area=area, popularity=popularity)
    typer.echo(json.dumps(found.to_dict(), indent=1) if as_json else str(found))


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
    for side, words in (("drug", found.drug_words), ("disease", found.disease_words)):
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
