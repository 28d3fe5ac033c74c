"""Rank unseen drugs and unseen diseases: popularity, words, neighbours, towers and their fusion on one benchmark.

    DRUGAI_DATA=... python experiments/14_linking/run.py [--again] [--only REGIME …]

Every cell (regime, text view, seed) is one JSON file under results/cells with the metrics of every query of every method, both directions.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from cells import cell, code_hash  # noqa: E402
from table import markdown, summarize  # noqa: E402

from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.data.download import cache_folder  # noqa: E402
from drugai.linking.encoding import encode_diseases, encode_drugs  # noqa: E402
from drugai.linking.fitting import (  # noqa: E402
    FUSED,
    START,
    Fusion,
    LinkerConfig,
    calibrate_questions,
    choose_fusion,
    fit_final_towers,
    fit_inner_folds,
    fold_questions,
    mean_steps,
    score_view,
    train_on_view,
)
from drugai.linking.fusion import Question, fuse, standardize_rows  # noqa: E402
from drugai.linking.masking import joined, mask_tables, measure_leakage  # noqa: E402
from drugai.linking.protocol import Benchmark, View, read_benchmark  # noqa: E402
from drugai.linking.views import without_structure  # noqa: E402
from drugai.metrics.retrieval import per_query  # noqa: E402
from drugai.models.text import TextEncoder  # noqa: E402

METHOD = ("calibration", "components", "encoding", "fitting", "fusion", "kernels", "lexical", "masking", "memory", "protocol", "towers", "views")
CODE = code_hash([*(f"linking/{name}" for name in METHOD), "metrics/retrieval"])
"""Of the files that decide a number here; the rest of the room (queries, pages, builders) does not."""
WITH_ONTOLOGY = 1.0
KNOBS = (0.25, 0.5, 1.0)
BASELINE = {"towers.inputs": "text", "towers.width": 128}
"""The towers as they were measured before: the text's embedding alone, 128 components."""


def measure(benchmark: Benchmark, regime: str, view_name: str, seed: int, encoder: TextEncoder) -> dict[str, Any]:
    """All methods of one cell."""
    masked = view_name == "masked"
    config = LinkerConfig(view="mechanism+class" if masked else view_name)
    texts = mask_tables(benchmark.tables) if masked else None
    drugs = encode_drugs(benchmark.tables.drugs, encoder, view=config.view, texts=texts)
    diseases = encode_diseases(benchmark.tables.diseases, encoder)
    scores: dict[str, dict[str, np.ndarray]] = {}
    test, train = benchmark.test_view(regime, seed), benchmark.train_view(regime, seed)
    labels, candidates = benchmark.asked(test)

    # as the baselines were measured: memory and towers from train alone, valid stops the training …
    plain = config.replace(**BASELINE)
    _, epochs = train_on_view(benchmark, benchmark.valid_view(regime, seed), drugs, diseases, plain.towers, seed=seed, regime=regime)
    towers = fit_final_towers(benchmark, train, drugs, diseases, plain, epochs, seed=seed)
    components = score_view(benchmark, train, drugs, diseases, plain, towers=towers)
    for name, matrix in components.items():
        scores[name] = {"drug": matrix, "disease": matrix}
    scores["fusion_fixed"] = both_ways(components, START, START)
    # … and the same two with what ours may know as well: train and valid
    wider = fit_final_towers(benchmark, test, drugs, diseases, plain, epochs, seed=seed)
    known_all = score_view(benchmark, test, drugs, diseases, plain, towers=wider)
    scores["knn_text_all"] = {"drug": known_all["knn_text"], "disease": known_all["knn_text"]}
    scores["fusion_fixed_all"] = both_ways(known_all, START, START)

    # ours: weights from inner folds over train and valid, then everything from both
    inner = fit_inner_folds(benchmark, regime, drugs, diseases, config, seed=seed)
    steps = mean_steps(inner)
    final = fit_final_towers(benchmark, test, drugs, diseases, config, steps, seed=seed)
    base, asked = fold_questions(benchmark, inner, drugs, diseases, config), score_view(benchmark, test, drugs, diseases, config, towers=final)
    scores["towers_ours"] = {"drug": asked["towers"], "disease": asked["towers"]}
    scores["ridge_all"] = {"drug": asked["ridge"], "disease": asked["ridge"]}
    chosen: dict[str, Any] = {}
    shapeless = without_structure(drugs)
    variants = {
        "fusion": (drugs, config, set()),
        "fusion_text": (shapeless, config.replace(**{"memory.kernels.structure": 0.0}), {"ridge", "knn_structure"}),
        "fusion_ontology": (drugs, config.replace(**{"memory.kernels.ontology": WITH_ONTOLOGY}), {"ridge"}),
        "fusion_no_trials": (drugs, config.replace(**{"memory.trials": 0.0}), {"ridge"}),
    }
    if view_name != "mechanism+class":  # the ablations stand in the main view alone
        variants = {name: variants[name] for name in ("fusion", "fusion_text")}
    for name, (own, own_config, changed) in variants.items():
        questions = [
            Question({**question.components, **score_view(benchmark, fold.view, own, diseases, own_config, only=changed)}, question.labels, question.candidates)
            for question, fold in zip(base, inner, strict=True)
        ] if changed else base  # fmt: skip
        found = {**asked, **score_view(benchmark, test, own, diseases, own_config, only=changed)} if changed else asked
        fusion = choose_fusion(questions, steps, regime=regime)
        scores[name] = both_ways(found, fusion.weights, fusion.reverse)
        chosen[name] = {"weights": fusion.weights, "reverse": fusion.reverse, "epochs": steps, "inner": fusion.score}
        if name == "fusion":
            chosen["confidence"] = confidence(fusion, scores[name], labels, candidates)
            # as it was before the curve could bend, for comparison
            chosen["confidence_one_slope"] = confidence(one_slope(fusion, questions), scores[name], labels, candidates)
            for knob in KNOBS:
                scores[f"knob_{knob}"] = knobbed(benchmark, test, scores[name], knob)
    if view_name == "mechanism+class":
        scores["fusion_no_terms"] = without_terms(base, asked, steps, regime)

    # with everything that is learnt from labels learnt from shuffled ones; words and zero-shot left out, they need no labels
    shuffled = benchmark.shuffled_labels(test, seed)
    loop = config.towers.loop.replace(epochs=steps, patience=0)
    control, _ = train_on_view(benchmark, test, drugs, diseases, config.towers.replace(loop=loop), seed=seed, labels=shuffled)
    learnt = score_view(benchmark, test, drugs, diseases, config, towers=control, labels=shuffled, only={"ridge", "knn_text", "knn_structure", "towers"})
    memory = dict.fromkeys(("ridge", "knn_text", "knn_structure"), 1.0)
    scores["permuted_memory"] = both_ways(learnt, memory, memory)
    scores["permuted_towers"] = {"drug": learnt["towers"], "disease": learnt["towers"]}

    queries: dict[str, Any] = {}
    for name, both in scores.items():
        queries[name] = {
            "drug": rounded(per_query(both["drug"], labels, candidates, seed)),
            "disease": rounded(per_query(both["disease"].T, labels.T, candidates.T, seed)),
        }
    tables = benchmark.tables
    ids = {"drug": [tables.drugs[row].id for row in test.asked_drugs], "disease": [tables.diseases[row].id for row in test.asked_diseases]}
    top = {name: mean_popularity(benchmark, test, scores[name]) for name in ("fusion", *(f"knob_{knob}" for knob in KNOBS))}
    return {
        "regime": regime, "view": view_name, "seed": seed, "pairs": int(labels.sum()), "chosen": chosen, "ids": ids, "popularity_of_top": top, "queries": queries,
    }  # fmt: skip


def without_terms(base: list[Question], asked: dict[str, np.ndarray], steps: int, regime: str) -> dict[str, np.ndarray]:
    """The fusion that may not compare classes and letters with disease names."""
    names = [one for one in FUSED if one not in ("terms", "best_term", "class_zero_shot", "letters")]
    fusion = choose_fusion(base, steps, regime=regime, names=names)
    return both_ways(asked, fusion.weights, fusion.reverse)


def both_ways(components: dict[str, np.ndarray], weights: Mapping[str, float], reverse: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Fused scores ``[drugs, diseases]``, standardised over diseases where a drug asks and over drugs where a disease asks."""
    return {"drug": fuse(components, weights), "disease": fuse({name: matrix.T for name, matrix in components.items()}, reverse).T}


def knobbed(benchmark: Benchmark, view: View, scores: dict[str, np.ndarray], knob: float) -> dict[str, np.ndarray]:
    """The scores less ``knob`` standard deviations of the candidates' log popularity among the known pairs."""
    known = benchmark.known_labels(view)
    by_disease, by_drug = np.zeros(benchmark.labels.shape[1]), np.zeros(benchmark.labels.shape[0])
    by_disease[view.known_diseases], by_drug[view.known_drugs] = np.log1p(known.sum(0)), np.log1p(known.sum(1))
    columns, rows = standardize_rows(by_disease[view.asked_diseases][None])[0], standardize_rows(by_drug[view.asked_drugs][None])[0]
    return {"drug": scores["drug"] - knob * columns[None, :], "disease": scores["disease"] - knob * rows[:, None]}


def mean_popularity(benchmark: Benchmark, view: View, scores: dict[str, np.ndarray]) -> dict[str, float]:
    """Mean number of known partners of the ten candidates ranked first."""
    known = benchmark.known_labels(view)
    by_disease, by_drug = np.zeros(benchmark.labels.shape[1]), np.zeros(benchmark.labels.shape[0])
    by_disease[view.known_diseases], by_drug[view.known_drugs] = known.sum(0), known.sum(1)
    first = np.argsort(-scores["drug"], axis=1)[:, :10], np.argsort(-scores["disease"].T, axis=1)[:, :10]
    return {
        "drug": float(by_disease[view.asked_diseases][first[0]].mean()),
        "disease": float(by_drug[view.asked_drugs][first[1]].mean()),
    }


def one_slope(fusion: Fusion, questions: list[Question]) -> Fusion:
    """The same fusion with Platt's calibration."""
    one = calibrate_questions(questions, fusion.weights, bends=())
    other = calibrate_questions([question.transposed() for question in questions], fusion.reverse, bends=())
    return replace(fusion, slope=one.slope, offset=one.offset, bends=(), reverse_slope=other.slope, reverse_offset=other.offset, reverse_bends=())


def confidence(fusion: Fusion, scores: dict[str, np.ndarray], labels: np.ndarray, candidates: np.ndarray) -> dict[str, Any]:
    """What the calibration says against what is so: pairs by predicted probability, and each query's best hit."""
    found: dict[str, Any] = {}
    for asks, matrix, truth, kept in (("drug", scores["drug"], labels, candidates), ("disease", scores["disease"].T, labels.T, candidates.T)):
        chance = fusion.probability(matrix, reverse=asks == "disease")
        edges = np.array([0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0001])
        bins = np.digitize(chance, edges) - 1
        rows = [(bins == place) & kept for place in range(len(edges) - 1)]
        held = truth.any(axis=1)
        best = np.where(kept, chance, -1.0).argmax(axis=1)
        found[asks] = {
            "bins": [[float(edges[place]), int(row.sum()), float(chance[row].mean()) if row.any() else None, float(truth[row].mean()) if row.any() else None] for place, row in enumerate(rows)],
            "top": [[round(float(chance[row, best[row]]), 4), bool(truth[row, best[row]])] for row in np.flatnonzero(held)],
        }  # fmt: skip
    return found


def leakage(benchmark: Benchmark) -> dict[str, Any]:
    """How often a text names an indication of its own, as it is written and masked."""
    masked = joined(mask_tables(benchmark.tables))
    texts = {view: {drug.id: drug.text(view) for drug in benchmark.tables.drugs} for view in ("mechanism", "mechanism+class")}
    return {**{view: measure_leakage(benchmark.tables, found) for view, found in texts.items()}, "mechanism+class, masked": measure_leakage(benchmark.tables, masked)}


def rounded(values: dict[str, np.ndarray]) -> dict[str, list[float | None]]:
    return {name: [None if np.isnan(value) else round(float(value), 5) for value in column] for name, column in values.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="compute cells that are stored already")
    parser.add_argument("--only", nargs="*", help="these regimes alone")
    parser.add_argument("--most", type=int, default=0, help="compute so many cells and stop; what is stored does not count (0: all)")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    folder = HERE / "results" / "cells"
    benchmark = read_benchmark()
    encoder = TextEncoder(cache=cache_folder() / "embeddings")
    cell(folder, "leakage", partial(leakage, benchmark), code=CODE, again=options.again)
    computed = 0
    for view in protocol["views"]:
        for regime in options.only or protocol["regimes"]:
            for seed in protocol["seeds"]:
                name = f"{regime}_{view.replace('+', '_')}_{seed}"
                if not (folder / f"{name}.json").is_file():
                    computed += 1
                if options.most and computed > options.most:
                    return
                cell(folder, name, partial(measure, benchmark, regime, view, seed, encoder), code=CODE, again=options.again)
    rows = summarize(protocol, folder)
    text = markdown(rows, protocol, json.loads((folder / "leakage.json").read_text()))
    print(text)
    write_text_atomically(HERE / "results" / "table.json", json.dumps({"protocol": protocol, "code": CODE, "rows": rows}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "table.md", text)


if __name__ == "__main__":
    main()
