"""Whom does the fusion serve? Its test queries by disease area, popularity, length of text; the popularity knob; calibration and abstention.

    DRUGAI_DATA=... python experiments/14_linking/bias.py      # reads results/cells, writes results/bias.json and bias.md
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from run import CODE, KNOBS  # noqa: E402

from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.linking.protocol import read_benchmark  # noqa: E402
from drugai.linking.sources.ontology import AREAS  # noqa: E402
from drugai.metrics.retrieval import estimate_mean  # noqa: E402

CELLS = HERE / "results" / "cells"
ASKS = {"drug": "drug", "disease": "disease", "both": "drug"}
CURVES = {"one slope (before)": "confidence_one_slope", "slope that bends (ships)": "confidence"}
LIKELY = 0.1
TOLD = {"drug": "unseen drug asks", "disease": "unseen disease asks", "both": "both unseen, drug asks"}


def main() -> None:
    benchmark = read_benchmark()
    tables = benchmark.tables
    area_of = {one.id: next((name for top, name in AREAS.items() if top in (*one.ancestors, one.id)), "other") for one in tables.diseases}
    degree = {"drug": dict(zip((one.id for one in tables.drugs), benchmark.labels.sum(1), strict=True)),
              "disease": dict(zip((one.id for one in tables.diseases), benchmark.labels.sum(0), strict=True))}  # fmt: skip
    length = {"drug": {one.id: len(one.text().split()) for one in tables.drugs}, "disease": {one.id: len(one.text().split()) for one in tables.diseases}}
    areas_of_drug = {one.id: {area_of[tables.diseases[column].id] for column in np.flatnonzero(benchmark.labels[row])} for row, one in enumerate(tables.drugs)}
    rows: list[dict[str, Any]] = []
    confidence: dict[str, Any] = {}
    for regime, asks in ASKS.items():
        queries = _queries(regime, asks)
        if not queries:
            continue
        groups: dict[str, dict[str, list[dict[str, float]]]] = {"disease area": {}, "popularity decile of the asking side": {}, "length of the asking text": {}}
        cuts = np.quantile([degree[asks][one["id"]] for one in queries], np.linspace(0, 1, 11)[1:-1])
        edges = np.quantile([length[asks][one["id"]] for one in queries], [0.2, 0.4, 0.6, 0.8])
        for one in queries:
            for area in areas_of_drug[one["id"]] if asks == "drug" else {area_of[one["id"]]}:
                groups["disease area"].setdefault(area, []).append(one)
            decile = int(np.searchsorted(cuts, degree[asks][one["id"]], side="left"))
            groups["popularity decile of the asking side"].setdefault(f"{decile + 1:2d}", []).append(one)
            fifth = int(np.searchsorted(edges, length[asks][one["id"]], side="left"))
            low, high = ([0, *edges][fifth], [*edges, np.inf][fifth])
            groups["length of the asking text"].setdefault(f"{fifth + 1}: {low:.0f}–{high:.0f} words", []).append(one)
        for kind, found in groups.items():
            for name in sorted(found):
                rows.append({"regime": regime, "by": kind, "group": name, **_means(found[name])})
        knobs = []
        for knob, name in ((0.0, "fusion"), *((knob, f"knob_{knob}") for knob in KNOBS)):
            cells = _cells(regime)
            pooled = {metric: estimate_mean(np.concatenate([_column(cell, name, asks, metric) for cell in cells])).to_dict() for metric in ("MRR", "AP")}
            knobs.append({"knob": knob, **pooled, "known_partners_of_the_top_ten": float(np.mean([cell["popularity_of_top"][name][asks] for cell in cells]))})
        rows.append({"regime": regime, "by": "popularity knob", "rows": knobs})
        confidence[regime] = {name: _confidence(_cells(regime), asks, key) for name, key in CURVES.items()}
    text = _markdown(rows, confidence)
    print(text)
    told = {"code": CODE, "command": "python experiments/14_linking/bias.py", "rows": rows, "confidence": confidence}
    write_text_atomically(HERE / "results" / "bias.json", json.dumps(told, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "bias.md", text)


def _cells(regime: str) -> list[dict[str, Any]]:
    paths = [CELLS / f"{regime}_mechanism_class_{seed}.json" for seed in (0, 1, 2)]
    return [json.loads(path.read_text()) for path in paths if path.is_file()]


def _column(cell: dict[str, Any], name: str, asks: str, metric: str) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in cell["queries"][name][asks][metric]])


def _queries(regime: str, asks: str) -> list[dict[str, Any]]:
    found = []
    for cell in _cells(regime):
        columns = {name: {metric: _column(cell, name, asks, metric) for metric in ("MRR", "AP")} for name in ("fusion", "fusion_fixed_all")}
        for row, one in enumerate(cell["ids"][asks]):
            if not np.isnan(columns["fusion"]["MRR"][row]):
                found.append({"id": one, **{f"{name}_{metric}": float(values[row]) for name, of in columns.items() for metric, values in of.items()}})
    return found


def _means(found: list[dict[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {"queries": len(found)}
    for key in ("fusion_MRR", "fusion_AP", "fusion_fixed_all_MRR"):
        out[key] = estimate_mean(np.array([one[key] for one in found])).to_dict()
    return out


def _confidence(cells: list[dict[str, Any]], asks: str, key: str) -> dict[str, Any]:
    """Predicted against observed by bin; and the share of best hits that are right among the most confident queries."""
    bins = []
    for parts in zip(*(cell["chosen"][key][asks]["bins"] for cell in cells), strict=True):
        counts = np.array([part[1] for part in parts], dtype=float)
        if counts.sum():
            said, seen = (float(sum(count * (part[place] or 0.0) for count, part in zip(counts, parts, strict=True)) / counts.sum()) for place in (2, 3))
            bins.append({"from": parts[0][0], "pairs": int(counts.sum()), "predicted": said, "observed": seen})
    top = sorted((pair for cell in cells for pair in cell["chosen"][key][asks]["top"]), key=lambda pair: -pair[0])
    right = np.array([pair[1] for pair in top], dtype=float)
    return {
        "bins": bins,
        "expected_calibration_error": _error(bins),
        "expected_calibration_error_of_likely_pairs": _error([entry for entry in bins if entry["from"] >= LIKELY]),
        "right_at_coverage": {f"{share:.0%}": float(right[: max(1, round(share * len(right)))].mean()) for share in (0.1, 0.25, 0.5, 0.75, 1.0)},
    }


def _error(bins: list[dict[str, Any]]) -> float:
    """Mean distance of predicted and observed over the pairs of these bins."""
    total = sum(entry["pairs"] for entry in bins)
    return float(sum(entry["pairs"] * abs(entry["predicted"] - entry["observed"]) for entry in bins) / max(1, total))


def _markdown(rows: list[dict[str, Any]], confidence: dict[str, Any]) -> str:
    lines = ["`python experiments/14_linking/bias.py`: the fusion that ships on the test queries of three seeds, mechanism + class.\n"]
    for regime in ASKS:
        mine = [row for row in rows if row["regime"] == regime]
        for kind in dict.fromkeys(row["by"] for row in mine if row["by"] != "popularity knob"):
            lines += [f"### {TOLD[regime]}, by {kind}\n", "| group | queries | MRR [95 %] | AP [95 %] | MRR of the best baseline |", "|---|---|---|---|---|"]
            for row in mine:
                if row["by"] == kind:
                    mrr, ap = row["fusion_MRR"], row["fusion_AP"]
                    lines.append(
                        f"| {row['group']} | {row['queries']} | {mrr['value']:.3f} [{mrr['low']:.3f}, {mrr['high']:.3f}] | {ap['value']:.3f} [{ap['low']:.3f}, {ap['high']:.3f}] | "
                        f"{row['fusion_fixed_all_MRR']['value']:.3f} |"
                    )
            lines.append("")
        for row in mine:
            if row["by"] == "popularity knob":
                lines += [f"### {TOLD[regime]}, the popularity knob\n", "| knob | MRR | AP | mean known partners of the first ten |", "|---|---|---|---|"]
                lines += [f"| {one['knob']} | {one['MRR']['value']:.3f} | {one['AP']['value']:.3f} | {one['known_partners_of_the_top_ten']:.1f} |" for one in row["rows"]]
                lines.append("")
        if regime in confidence:
            told = confidence[regime]
            lines += [f"### {TOLD[regime]}, calibration\n", f"| curve | expected error, all pairs | expected error, pairs called {LIKELY} and more |", "|---|---|---|"]
            lines += [f"| {name} | {found['expected_calibration_error']:.4f} | {found['expected_calibration_error_of_likely_pairs']:.3f} |" for name, found in told.items()]
            lines += ["\n| curve | predicted from | pairs | predicted | observed |", "|---|---|---|---|---|"]
            for name, found in told.items():
                lines += [f"| {name} | {entry['from']} | {entry['pairs']} | {entry['predicted']:.3f} | {entry['observed']:.3f} |" for entry in found["bins"]]
            kept = told["slope that bends (ships)"]["right_at_coverage"]
            lines.append("\nFirst hit right among the most confident queries: " + ", ".join(f"{share} {value:.2f}" for share, value in kept.items()) + ".\n")
    return "\n".join(lines)


if __name__ == "__main__":
    if not os.environ.get("DRUGAI_DATA"):
        raise SystemExit("DRUGAI_DATA must name the folder with linking/")
    main()
