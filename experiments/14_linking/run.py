"""Rank unseen drugs and unseen diseases: popularity, words, neighbours, towers and their fusion on one benchmark.

    DRUGAI_DATA=... python experiments/14_linking/run.py [--again] [--only REGIME …]

Every cell (regime, text view, seed) is one JSON file under results/cells with the metrics of every query of every method, both directions.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
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
from drugai.linking.components import without_structure  # noqa: E402
from drugai.linking.encoding import encode_diseases, encode_drugs  # noqa: E402
from drugai.linking.fitting import START, LinkerConfig, fit_final_towers, fit_fusion, fit_inner_folds, score_view, train_on_view  # noqa: E402
from drugai.linking.fusion import fuse  # noqa: E402
from drugai.linking.masking import mask_tables, measure_leakage  # noqa: E402
from drugai.linking.protocol import Benchmark, read_benchmark  # noqa: E402
from drugai.metrics.retrieval import per_query  # noqa: E402
from drugai.models.text import TextEncoder  # noqa: E402

CODE = code_hash(["linking", "metrics"])
WITH_ONTOLOGY = 0.3


def measure(benchmark: Benchmark, regime: str, view_name: str, seed: int, encoder: TextEncoder) -> dict[str, Any]:
    """All methods of one cell."""
    config = LinkerConfig(view=view_name)
    drugs = encode_drugs(benchmark.tables.drugs, encoder, view=view_name)
    diseases = encode_diseases(benchmark.tables.diseases, encoder)
    scores: dict[str, dict[str, np.ndarray]] = {}

    # as the baselines were measured: memory and towers from train alone, valid stops the training
    train = benchmark.train_view(regime, seed)
    _, epochs = train_on_view(benchmark, benchmark.valid_view(regime, seed), drugs, diseases, config.towers, seed=seed, regime=regime)
    towers = fit_final_towers(benchmark, train, drugs, diseases, config, epochs, seed=seed)
    components = score_view(benchmark, train, drugs, diseases, config, towers=towers)
    for name, matrix in components.items():
        scores[name] = {"drug": matrix, "disease": matrix}
    fixed = {"drug": fuse(components, START), "disease": fuse({name: matrix.T for name, matrix in components.items()}, START).T}
    scores["fusion_fixed"] = fixed

    # weights from inner folds over train and valid, then everything from both
    chosen: dict[str, Any] = {}
    test = benchmark.test_view(regime, seed)
    variants = {
        "fusion": (drugs, config),
        "fusion_text": (without_structure(drugs), config.replace(memory=config.memory.replace(structure=0.0))),
        "fusion_ontology": (drugs, config.replace(memory=config.memory.replace(ontology=WITH_ONTOLOGY))),
    }
    inner = fit_inner_folds(benchmark, regime, drugs, diseases, config, seed=seed)
    final = None
    for name, (own, own_config) in variants.items():
        fusion = fit_fusion(benchmark, regime, own, diseases, own_config, seed=seed, inner=inner)
        final = final or fit_final_towers(benchmark, test, own, diseases, own_config, fusion.epochs, seed=seed)  # towers read texts alone: the same for all
        found = score_view(benchmark, test, own, diseases, own_config, towers=final)
        scores[name] = {"drug": fuse(found, fusion.weights), "disease": fuse({key: matrix.T for key, matrix in found.items()}, fusion.reverse).T}
        chosen[name] = {"weights": fusion.weights, "reverse": fusion.reverse, "epochs": fusion.epochs, "inner": fusion.score}
        if name == "fusion":
            # with everything that is learnt from labels learnt from shuffled ones; words and zero-shot left out, they need no labels
            labels = benchmark.shuffled_labels(test, seed)
            loop = config.towers.loop.replace(epochs=fusion.epochs, patience=0)
            control, _ = train_on_view(benchmark, test, drugs, diseases, config.towers.replace(loop=loop), seed=seed, labels=labels)
            learnt = score_view(benchmark, test, drugs, diseases, config, towers=control, labels=labels)
            weights = dict.fromkeys(("ridge", "knn_text", "knn_structure"), 1.0)
            scores["permuted_memory"] = {"drug": fuse(learnt, weights), "disease": fuse({key: matrix.T for key, matrix in learnt.items()}, weights).T}
            scores["permuted_towers"] = {"drug": learnt["towers"], "disease": learnt["towers"]}

    labels, candidates = benchmark.asked(test)
    queries: dict[str, Any] = {}
    for name, both in scores.items():
        queries[name] = {
            "drug": _rounded(per_query(both["drug"], labels, candidates, seed)),
            "disease": _rounded(per_query(both["disease"].T, labels.T, candidates.T, seed)),
        }
    return {"regime": regime, "view": view_name, "seed": seed, "pairs": int(labels.sum()), "chosen": chosen, "queries": queries}


def leakage(benchmark: Benchmark) -> dict[str, Any]:
    """How often a text names an indication of its own, as it is written and masked."""
    masked = mask_tables(benchmark.tables)
    texts = {view: {drug.id: drug.text(view) for drug in benchmark.tables.drugs} for view in ("mechanism", "mechanism+class")}
    return {**{view: measure_leakage(benchmark.tables, found) for view, found in texts.items()}, "mechanism+class, masked": measure_leakage(benchmark.tables, masked)}


def _rounded(values: dict[str, np.ndarray]) -> dict[str, list[float | None]]:
    return {name: [None if np.isnan(value) else round(float(value), 5) for value in column] for name, column in values.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="compute cells that are stored already")
    parser.add_argument("--only", nargs="*", help="these regimes alone")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    folder = HERE / "results" / "cells"
    benchmark = read_benchmark()
    encoder = TextEncoder(cache=cache_folder() / "embeddings")
    cell(folder, "leakage", partial(leakage, benchmark), code=CODE, again=options.again)
    for view in protocol["views"]:
        for regime in options.only or protocol["regimes"]:
            for seed in protocol["seeds"]:
                name = f"{regime}_{view.replace('+', '_')}_{seed}"
                cell(folder, name, partial(measure, benchmark, regime, view, seed, encoder), code=CODE, again=options.again)
    rows = summarize(protocol, folder)
    text = markdown(rows, protocol, json.loads((folder / "leakage.json").read_text()))
    print(text)
    write_text_atomically(HERE / "results" / "table.json", json.dumps({"protocol": protocol, "code": CODE, "rows": rows}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "table.md", text)


if __name__ == "__main__":
    main()
