"""The page of a screening run: counts, the library and the cut, the hits, the model's card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from markupsafe import Markup

from drugai.contracts import Dataset
from drugai.data import read_dataset, split
from drugai.errors import REASON_CODES, ArtifactError
from drugai.predictors.base import TrainedPredictor
from drugai.reports.hits_table import DRAWN, UNITS, hits_table, label_of
from drugai.reports.model_card import ModelCard, make_card
from drugai.reports.page import pretty_unit, share, short, whole, write_page
from drugai.reports.svg import histogram
from drugai.screening import Hits, Plan, read_hits
from drugai.screening.folder import RunFolder
from drugai.training.evaluation import Evaluation

CARD_FILE = "model_card.json"
"""A card that lies in the run folder is shown on its page."""
MOST_BAD_ROWS = 200
UNLIKE = 0.4
"""Tanimoto similarity (Morgan, radius 2) below which the nearest known active says little: the usual rule of thumb for these fingerprints."""


def hits_page(
    run: str | Path | Hits,
    *,
    model: TrainedPredictor | str | Path | None = None,
    evaluation: Evaluation | None = None,
    measured: Dataset | None = None,
    card: ModelCard | None = None,
    out: str | Path | None = None,
    title: str = "",
    caveats: Sequence[str] = (),
    drawn: int = DRAWN,
) -> Path:
    """Write the page of a finished screening run: one HTML file.

    Args:
        run: The run folder, or its Hits.
        model: The model whose card is shown; by default the first that the run used, if it is still where it was.
        evaluation, measured: Of the model, and the molecules it rests on.
        card: A card made before (:func:`make_card`), in place of ``model``; by default ``model_card.json`` of the run folder.
        out: The file; ``index.html`` in the run folder by default.
        title: Head of the page.
        caveats: Sentences to add to those that the numbers call for.
        drawn: Hits whose structures are drawn; the rest are shown as SMILES.

    Raises:
        ArtifactError: The folder is no finished run, or the model is damaged.
    """
    hits = run if isinstance(run, Hits) else read_hits(run)
    plan = RunFolder(hits.path).read_plan()
    summary = hits.summary
    shown = card or _stored_card(hits.path, plan) if model is None and evaluation is None else _card(model, evaluation, measured, plan)
    reasons = [{"code": code, "count": count, "words": REASON_CODES.get(code, "")} for code, count in summary["reasons"].items()]
    return write_page(
        out or hits.path / "index.html",
        "hits.html",
        title=title or f"{whole(len(hits))} hits from {whole(summary['n'])} molecules",
        lead=f"Library {summary['library']}, ranked by {_words(plan, summary)}.",
        tiles=_tiles(summary, hits),
        caveats=[*_caveats(hits), *caveats],
        totals=histogram(**summary["histogram"], cut=summary["cutoff"], x_label="total score", size=(620, 240)),
        charts=_charts(plan, summary),
        # a cascade goes from cheap to dear: the earlier a term is computed, the more molecules reach it
        terms=sorted(({**term, "label": label_of(term["name"])} for term in summary["terms"]), key=lambda term: -term["reached"]),
        table=hits_table(hits, plan, drawn),
        card=shown,
        reasons=reasons,
        bad_rows=_bad_rows(hits.path, plan),
        n_bad=summary["n_bad"],
        made=_made(plan, summary),
    )


def evaluated_card(run: str | Path, model: str | Path | None, part: str) -> ModelCard:
    """The card of a run's model (or another), with its evaluation on a part of the data that it was trained from.

    Raises:
        ArtifactError: There is no model, it does not say what it was trained from, or its data changed.
    """
    from drugai.predictors import load_predictor
    from drugai.training.run import evaluate_saved

    plan = RunFolder(run).read_plan()
    if model is None and not plan.models:
        raise ArtifactError(f"{run}: the run used no model; name one")
    place = Path(model if model is not None else plan.models[0]["path"])
    evaluation = evaluate_saved(place, part=part)  # refuses data or a split that is no longer the same
    predictor = load_predictor(place)
    stored, how = predictor.record["source"], predictor.record["source"]["split"]
    kinds = stored["kinds"] if Path(stored["data"]).suffix else None
    data = read_dataset(stored["data"], smiles=stored["smiles"], targets=[task.name for task in predictor.tasks], kinds=kinds)
    parts = split(data, method=how["method"], fractions=tuple(how["fractions"]), seed=how["seed"], column=how["column"])
    return make_card(predictor, evaluation, measured=data.take(parts.part(part)), title=place.name, part=f"{part} part")


def _card(model: TrainedPredictor | str | Path | None, evaluation: Evaluation | None, measured: Dataset | None, plan: Plan) -> ModelCard:
    from drugai.predictors import load_predictor

    if model is None:
        if not plan.models:
            raise ArtifactError("an evaluation is given, but the run used no model")
        model = plan.models[0]["path"]
    title = "" if isinstance(model, TrainedPredictor) else Path(model).name
    predictor = model if isinstance(model, TrainedPredictor) else load_predictor(model)
    return make_card(predictor, evaluation, measured=measured, title=title)


def _stored_card(folder: Path, plan: Plan) -> ModelCard | None:
    """The card in the run folder, else that of the run's first model if it is still there and the same."""
    file = folder / CARD_FILE
    if file.is_file():
        try:
            return ModelCard.from_dict(json.loads(file.read_text(encoding="utf-8")))
        except ValueError as error:
            raise ArtifactError(f"{file}: damaged ({error}); remove it, or write the page with the model named") from None
    if not plan.models or not Path(plan.models[0]["path"]).exists():
        return None
    return _card(None, None, None, plan)


def _words(plan: Plan, summary: dict[str, Any]) -> str:
    terms = [label_of(entry["name"]) for entry in summary["terms"]]
    return ", ".join(terms) if terms else str(summary["scorer"])


def _tiles(summary: dict[str, Any], hits: Hits) -> list[dict[str, str]]:
    bad = ", ".join(f"{count:,} {code}" for code, count in summary["reasons"].items())
    scaffolds = len(set(hits.table["scaffold"]) - {""})
    tiles = [
        {"value": whole(summary["n"]), "label": "molecules screened", "note": f"{short(summary['rate'])} a second" if summary["rate"] else ""},
        {"value": whole(summary["n_bad"]), "label": "could not be used", "note": bad},
        {"value": whole(summary["n_alive"]), "label": "passed every filter", "note": share(summary["n_alive"], summary["n_scored"])},
        {"value": whole(len(hits)), "label": "hits", "note": f"{scaffolds:,} ring scaffolds"},
    ]
    if summary["cutoff"] is not None:
        tiles.append({"value": f"{summary['cutoff']:.3f}", "label": "total of the last hit", "note": f"best {hits.table['total'][0]:.3f}"})
    return tiles


def _charts(plan: Plan, summary: dict[str, Any]) -> list[Markup]:
    """Histograms of the first raw values and predictions."""
    units = {column.name: column.unit for column in plan.columns}
    roles = {column.name: column.role for column in plan.columns}
    out = []
    for name, found in summary["columns"].items():
        if roles.get(name) not in ("raw", "mean") or len(found["edges"]) < 2 or found["edges"][0] == found["edges"][-1]:
            continue
        unit = units.get(name) or UNITS.get(name)
        label = label_of(name) + (f" [{pretty_unit(unit)}]" if unit else "")
        out.append(histogram(found["edges"], found["counts"], hits=found["hits"], x_label=label, size=(620, 240)))
    return out[:3]


def _caveats(hits: Hits) -> list[str]:
    """What the numbers themselves say of how far to trust the list."""
    out = []
    similarity = hits.table.get("similarity")
    if similarity is not None and len(similarity):
        middle, near = float(np.median(similarity)), int((np.asarray(similarity) >= UNLIKE).sum())
        if middle < UNLIKE:
            out.append(
                f"The hits are far from the known actives: the median Tanimoto similarity to the nearest is {middle:.2f}, and {near:,} of {len(hits):,} "
                f"reach {UNLIKE}. What the model says of the others is extrapolation."
            )
    spread = {column for column in hits.table if column.endswith("_std")}
    if spread:
        out.append("± is the model's standard deviation, not a calibrated interval: where it is the spread of members, the true error is larger, above all far from the training molecules.")
    return out


def _bad_rows(folder: Path, plan: Plan) -> list[dict[str, Any]]:
    """The first rows with a reason, from the shards."""
    rows: list[dict[str, Any]] = []
    for shard in RunFolder(folder).all_shards(plan):
        if len(rows) >= MOST_BAD_ROWS or not shard.path.is_file():
            break
        found = pq.read_table(shard.path, columns=["index", "id", "smiles", "reason"], filters=[("reason", "!=", "")])
        rows.extend(found.to_pylist()[: MOST_BAD_ROWS - len(rows)])
    return rows


def _made(plan: Plan, summary: dict[str, Any]) -> dict[str, str]:
    out = {
        "Library": f"{plan.library.name}, {plan.library.records:,} records, sha256 {plan.library.sha256[:16]}…",
        "Scorer": f"{summary['scorer']}, sha256 {str(plan.scorer['sha256'])[:16]}…",
    }
    out |= {f"Model {Path(entry['path']).name}": f"{entry.get('kind', 'predictor')}, sha256 {entry['sha256'][:16]}…" for entry in plan.models}
    out |= {
        "Precision": f"{summary['precision']} on {plan.device}",
        "Time": f"{summary['cpu_seconds']:,.0f} CPU seconds, {summary['workers']} worker{'s' if summary['workers'] != 1 else ''}",
        "Versions": ", ".join(f"{name} {text}" for name, text in plan.code.get("versions", {}).items()),
        "Every row": f"shards/*.parquet of the run folder, {summary['shards']['n']} file{'s' if summary['shards']['n'] != 1 else ''}: totals, terms, reasons",
    }
    return out
