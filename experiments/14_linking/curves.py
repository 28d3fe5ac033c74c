"""Which curve turns a fused score into a probability? Chosen on train and valid alone: no test row of the seed is known or asked here.

    DRUGAI_DATA=... python experiments/14_linking/curves.py

Inner folds over *train* choose weights and fit the curves; the *valid* part is asked. Writes results/curves.json and curves.md; each (regime, seed) is one cell.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from cells import cell  # noqa: E402
from run import CODE  # noqa: E402

from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.data.download import cache_folder  # noqa: E402
from drugai.linking.calibration import calibrate  # noqa: E402
from drugai.linking.encoding import encode_diseases, encode_drugs  # noqa: E402
from drugai.linking.fitting import LinkerConfig, choose_fusion, fit_final_towers, fit_inner_folds, fold_questions, mean_steps, score_view  # noqa: E402
from drugai.linking.fusion import Question, fuse  # noqa: E402
from drugai.linking.protocol import TEST, TRAIN, Benchmark, read_benchmark  # noqa: E402
from drugai.linking.views import Diseases, Drugs  # noqa: E402
from drugai.models.text import TextEncoder  # noqa: E402

QUANTILES: dict[str, tuple[float, ...]] = {"one slope": (), "a bend at the median": (0.5,), "bends at the quartiles": (0.25, 0.5, 0.75), "four bends": (0.2, 0.4, 0.6, 0.8)}
EDGES = np.array([0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0001])
LIKELY = 0.1


def without_test(benchmark: Benchmark, regime: str, seed: int, drugs: Drugs, diseases: Diseases) -> tuple[Benchmark, Drugs, Diseases]:
    """The benchmark without the test rows of the side that the regime holds out, and valid called test."""
    parts = {"drug": benchmark.drug_parts[seed], "disease": benchmark.disease_parts[seed]}
    kept = {side: np.flatnonzero(found != TEST) if side == regime else np.arange(len(found)) for side, found in parts.items()}
    renamed = {side: {seed: np.where(found == TRAIN, TRAIN, TEST)[kept[side]]} for side, found in parts.items()}
    index = np.ix_(kept["drug"], kept["disease"])
    tables = benchmark.tables.select([benchmark.tables.drugs[row].id for row in kept["drug"]], [benchmark.tables.diseases[row].id for row in kept["disease"]])
    found = replace(
        benchmark, tables=tables, labels=benchmark.labels[index], candidates=benchmark.candidates[index], sources=benchmark.sources[index],
        drug_parts=renamed["drug"], disease_parts=renamed["disease"], drug_groups=benchmark.drug_groups[kept["drug"]], disease_groups=benchmark.disease_groups[kept["disease"]],
    )  # fmt: skip
    return found, drugs.take(kept["drug"]), diseases.take(kept["disease"])


def curves_cell(benchmark: Benchmark, regime: str, seed: int, drugs: Drugs, diseases: Diseases) -> dict[str, Any]:
    """Every curve on the inner folds on which it was fitted, and on valid."""
    from sklearn.isotonic import IsotonicRegression

    config = LinkerConfig()
    small, drugs, diseases = without_test(benchmark, regime, seed, drugs, diseases)
    inner = fit_inner_folds(small, regime, drugs, diseases, config, seed=seed)
    steps = mean_steps(inner)
    questions = fold_questions(small, inner, drugs, diseases, config)
    fusion = choose_fusion(questions, steps, regime=regime)
    view = small.test_view(regime, seed)
    towers = fit_final_towers(small, view, drugs, diseases, config, steps, seed=seed)
    asked = Question(score_view(small, view, drugs, diseases, config, towers=towers), *small.asked(view))
    if regime == "disease":
        questions, asked = [question.transposed() for question in questions], asked.transposed()
    weights = fusion.reverse if regime == "disease" else fusion.weights
    scores, labels = _pairs(questions, weights)
    own, truth = _pairs([asked], weights)
    out: dict[str, Any] = {}
    for name, quantiles in QUANTILES.items():
        curve = calibrate(scores, labels, quantiles)
        out[name] = {"on the folds": _told(curve.probability(scores), labels), "on valid": _told(curve.probability(own), truth)}
    steps_up = IsotonicRegression(out_of_bounds="clip").fit(scores, labels)
    out["isotonic"] = {"on the folds": _told(steps_up.predict(scores), labels), "on valid": _told(steps_up.predict(own), truth)}
    return {"curves": out}


def _pairs(questions: list[Question], weights: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    scores = [fuse(question.components, weights)[question.candidates] for question in questions]
    return np.concatenate(scores), np.concatenate([question.labels[question.candidates] for question in questions]).astype(float)


def _told(chance: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    clipped = np.clip(chance, 1e-9, 1 - 1e-9)
    bins = np.digitize(chance, EDGES) - 1
    gaps = np.array([abs(chance[bins == place].sum() - truth[bins == place].sum()) for place in range(len(EDGES) - 1)])
    likely, high = chance >= LIKELY, chance >= EDGES[-2]
    return {
        "log loss": float(-(truth * np.log(clipped) + (1 - truth) * np.log(1 - clipped)).mean()),
        "error of likely pairs": float(gaps[EDGES[:-1] >= LIKELY].sum() / max(1, likely.sum())),
        "highest bin": [int(high.sum()), float(chance[high].mean()) if high.any() else None, float(truth[high].mean()) if high.any() else None],
    }


def main() -> None:
    benchmark = read_benchmark()
    encoder = TextEncoder(cache=cache_folder() / "embeddings")
    drugs, diseases = encode_drugs(benchmark.tables.drugs, encoder), encode_diseases(benchmark.tables.diseases, encoder)
    lines = ["`python experiments/14_linking/curves.py`: curves fitted on inner folds over train, asked on valid; means over three seeds.\n"]
    rows = []
    for regime in ("drug", "disease"):
        cells = [cell(HERE / "results" / "cells", f"curves_{regime}_{seed}", partial(curves_cell, benchmark, regime, seed, drugs, diseases), code=CODE) for seed in (0, 1, 2)]
        good = [found["curves"] for found in cells if "failed" not in found]
        lines += [f"### unseen {regime}\n", "| curve | log loss, valid | error of pairs called 0.1 and more, valid | the same on the folds themselves | 0.7 and more on the folds: said → seen |", "|" + "---|" * 5]
        for name in good[0] if good else ():
            mean = {part: {key: float(np.mean([one[name][part][key] for one in good])) for key in ("log loss", "error of likely pairs")} for part in ("on the folds", "on valid")}
            top = [one[name]["on the folds"]["highest bin"] for one in good if one[name]["on the folds"]["highest bin"][0]]
            pairs = sum(count for count, _, _ in top)
            said, seen = (sum(part[0] * part[place] for part in top) / max(1, pairs) for place in (1, 2))
            rows.append({"regime": regime, "curve": name, "seeds": len(good), **mean, "highest bin on the folds": [pairs, said, seen]})
            told = f"{said:.2f} → {seen:.2f} ({pairs} pairs)" if pairs else "none"
            lines.append(f"| {name} | {mean['on valid']['log loss']:.5f} | {mean['on valid']['error of likely pairs']:.3f} | {mean['on the folds']['error of likely pairs']:.3f} | {told} |")
        lines.append("")
    print("\n".join(lines))
    write_text_atomically(HERE / "results" / "curves.json", json.dumps({"code": CODE, "command": "python experiments/14_linking/curves.py", "rows": rows}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "curves.md", "\n".join(lines))


if __name__ == "__main__":
    main()
