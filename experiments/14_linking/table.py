"""Cells → the table: means over seeds, intervals over queries, paired differences to the best baseline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from drugai.metrics.retrieval import RETRIEVAL_METRICS, estimate_mean, macro, paired_mean_difference

BASELINES = ("popularity", "tfidf", "bm25", "zero_shot", "knn_text", "knn_structure", "towers", "fusion_fixed", "knn_text_all", "fusion_fixed_all")
OURS = (
    "class_zero_shot", "terms", "best_term", "letters", "ridge", "ridge_all", "towers_ours", "fusion_no_terms", "fusion_no_trials", "fusion_text", "fusion",
    "fusion_ontology",
)  # fmt: skip
KNOBS = ("knob_0.25", "knob_0.5", "knob_1.0")
CONTROLS = ("permuted_memory", "permuted_towers")
TITLES = {
    "tfidf": "TF-IDF", "bm25": "BM25", "zero_shot": "MiniLM zero-shot", "knn_text": "kNN text", "knn_structure": "kNN structure", "towers": "two towers, text",
    "fusion_fixed": "fusion, fixed weights", "knn_text_all": "kNN text, knows valid too", "fusion_fixed_all": "fusion, fixed weights, knows valid too",
    "class_zero_shot": "class against name, zero-shot", "terms": "three best class terms, zero-shot", "best_term": "best class term, zero-shot",
    "letters": "letters of text and text", "ridge": "ridge over four views", "ridge_all": "ridge over four views, knows valid too",
    "towers_ours": "two towers, text + class", "fusion_no_terms": "fusion without terms and letters", "fusion_no_trials": "fusion without trials",
    "fusion_text": "**fusion, text alone**", "fusion": "**fusion** (ships)", "fusion_ontology": "fusion + ontology",
    "permuted_memory": "control: memory of shuffled labels", "permuted_towers": "control: towers of shuffled labels",
    **{name: f"fusion, popularity knob {name.removeprefix('knob_')}" for name in KNOBS},
}  # fmt: skip


def summarize(protocol: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """One row a (view, regime, direction, method)."""
    rows = []
    for view in protocol["views"]:
        for regime in protocol["regimes"]:
            paths = [folder / f"{regime}_{view.replace('+', '_')}_{seed}.json" for seed in protocol["seeds"]]
            cells = [json.loads(path.read_text()) for path in paths if path.is_file()]
            good = [found for found in cells if "failed" not in found]
            if not good:
                continue
            for asks in ("drug", "disease"):
                arrays = {name: [_arrays(found["queries"][name][asks]) for found in good] for name in (*BASELINES, *OURS, *KNOBS, *CONTROLS) if all(name in found["queries"] for found in good)}
                means = {name: {metric: float(np.mean([macro(one)[metric] for one in of_seed])) for metric in RETRIEVAL_METRICS} for name, of_seed in arrays.items()}
                best = {metric: max(BASELINES, key=lambda name, metric=metric: means[name][metric]) for metric in ("MRR", "AP")}
                for name, of_seed in arrays.items():
                    row: dict[str, Any] = {"view": view, "regime": regime, "asks": asks, "method": name, "seeds": len(good), "mean": means[name]}
                    row["failed"] = len(cells) - len(good)
                    for metric in ("MRR", "AP"):
                        pooled = np.concatenate([one[metric] for one in of_seed])
                        row[f"{metric}_interval"] = estimate_mean(pooled).to_dict()
                        other = np.concatenate([one[metric] for one in arrays[best[metric]]])
                        row[f"{metric}_over"] = best[metric]
                        row[f"{metric}_difference"] = paired_mean_difference(pooled, other).to_dict()
                    rows.append(row)
    return rows


CAPTION = """`python experiments/14_linking/run.py`. Baselines: as measured before, and the two strongest once more with the valid part as knowledge, as ours have it;
differences are paired by query against the best of all these baselines. Controls learn from shuffled labels.
"""


def markdown(rows: list[dict[str, Any]], protocol: dict[str, Any], leakage: dict[str, Any]) -> str:
    """The tables as Markdown, main directions first."""
    parts = [CAPTION]
    keys = [(view, regime, asks) for main in (True, False) for view in protocol["views"] for regime in protocol["regimes"] for asks in ("drug", "disease")
            if (protocol["asks"][regime] == asks) is main]  # fmt: skip
    for view, regime, asks in keys:
        block = [row for row in rows if (row["view"], row["regime"], row["asks"]) == (view, regime, asks)]
        if not block:
            continue
        queries = block[0]["MRR_interval"]["n"]
        told = {"drug": "unseen drug", "disease": "unseen disease", "both": "both unseen"}[regime]
        parts.append(f"### {told}, {asks} asks, {view} ({queries} queries over {block[0]['seeds']} seeds)\n")
        parts.append("| method | MRR [95 %] | H@1 | H@10 | R@10 | AUROC | AP [95 %] | measured before | MRR − best baseline | AP − best baseline |")
        parts.append("|" + "---|" * 10)
        measured = protocol["measured"].get(regime, {}) if view == "mechanism+class" and protocol["asks"][regime] == asks else {}
        for row in block:
            mean, mrr, ap = row["mean"], row["MRR_interval"], row["AP_interval"]
            before = " / ".join(f"{value:.3f}" for value in measured.get(row["method"], ()))
            ours = row["method"] in OURS
            differences = [_difference(row[f"{metric}_difference"]) if ours else "" for metric in ("MRR", "AP")]
            parts.append(
                f"| {TITLES.get(row['method'], row['method'])} | {mean['MRR']:.3f} [{mrr['low']:.3f}, {mrr['high']:.3f}] | {mean['H@1']:.3f} | {mean['H@10']:.3f} | "
                f"{mean['R@10']:.3f} | {mean['AUROC']:.3f} | {mean['AP']:.3f} [{ap['low']:.3f}, {ap['high']:.3f}] | {before} | {' | '.join(differences)} |"
            )
        parts.append(f"\nBest baseline by MRR: {TITLES.get(block[0]['MRR_over'], block[0]['MRR_over'])}; by AP: {TITLES.get(block[0]['AP_over'], block[0]['AP_over'])}.\n")
    parts.append("### Leakage: texts that name an indication of their own\n")
    parts.append("| text | pairs | drugs |\n|---|---|---|")
    parts += [f"| {name} | {found['pairs']:.3%} | {found['drugs']:.3%} |" for name, found in leakage.items() if isinstance(found, dict) and "pairs" in found]
    return "\n".join(parts) + "\n"


def _arrays(stored: dict[str, list[float | None]]) -> dict[str, np.ndarray]:
    return {metric: np.array([np.nan if value is None else value for value in values]) for metric, values in stored.items()}


def _difference(found: dict[str, float]) -> str:
    return f"{found['value']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}]"
