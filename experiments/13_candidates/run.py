"""Are candidates that a search finds good in the eyes of a model that took no part in it? EGFR; one JSON file a cell, computed once.

python experiments/13_candidates/run.py --work runs/candidates [--seed 0 …]

The data are cut by scaffold into two halves without a common ring scaffold. Boosted trees on the first half guide the search; a Gaussian process on the second half, which the search never
saw, judges.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import cell, code_hash  # noqa: E402
from scipy.stats import spearmanr  # noqa: E402

import drugai  # noqa: E402
from drugai.contracts import Dataset, Predictor, Split  # noqa: E402
from drugai.generation import GeneticConfig, load_generator, optimize  # noqa: E402
from drugai.molecules import MoleculeBatch, find_alerts, fingerprint, murcko_scaffolds, qed, read_library, synthetic_accessibility, tanimoto  # noqa: E402
from drugai.predictors import GPConfig, TreesConfig, load_predictor  # noqa: E402
from drugai.scoring import no_alerts, predicted, product_of, synthesizable  # noqa: E402
from drugai.scoring import qed as qed_term  # noqa: E402

CONFIG = tomllib.loads((HERE / "config.toml").read_text())
RESULTS = HERE / "results"
CODE = code_hash(["generation", "scoring", "molecules", "predictors", "training", "featurizers"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for models and runs")
    parser.add_argument("--seed", action="append", type=int, default=[])
    arguments = parser.parse_args()
    first, second = halves()
    for name, data, config in (("guide", first, TreesConfig(blocks=("morgan", "all_descriptors"), members=1, threads=1)), ("judge", second, GPConfig(counts=("morgan3", "avalon"), descriptors=()))):
        if not (arguments.work / name).is_dir():
            drugai.fit_predictor(config, data, two_parts(data)).save(arguments.work / name)
    guide, judge = (load_predictor(arguments.work / name) for name in ("guide", "judge"))
    cell(RESULTS, "models", lambda: {"guide_on_second_half": quality(guide, second), "judge_on_first_half": quality(judge, first)}, code=CODE)
    cell(RESULTS, "known", lambda: judged("known", best_known(first), first, judge), code=CODE)
    cell(RESULTS, "screen", lambda: judged("screen", screened(guide), first, judge), code=CODE)
    for seed in arguments.seed or CONFIG["seeds"]:
        cell(RESULTS, f"search_{seed}", lambda seed=seed: judged("search", searched(guide, seed, arguments.work / f"run_{seed}"), first, judge), code=CODE)
    (RESULTS / "table.md").write_text(table())


def halves() -> tuple[Dataset, Dataset]:
    """Readable molecules, each scaffold in one half by its hash."""
    data = drugai.read_dataset(CONFIG["data"])
    batch = MoleculeBatch(data.smiles)
    scaffolds = murcko_scaffolds(batch)
    part = np.array([hashlib.sha256(text.encode()).digest()[0] % 2 for text in scaffolds])
    return data.take(np.flatnonzero(batch.valid & (part == 0))), data.take(np.flatnonzero(batch.valid & (part == 1)))


def two_parts(data: Dataset) -> Split:
    """Nine tenths to learn from, one tenth to stop by; the split's own test part is not needed and holds but a hundredth."""
    return drugai.split(data, method="random", fractions=(0.89, 0.1, 0.01), seed=0)


def quality(model: Predictor, data: Dataset) -> dict[str, float]:
    """Error on the half that the model never saw."""
    mean = model.predict(data.smiles).mean[:, 0]
    return {"n": len(data), "rmse": float(np.sqrt(np.mean((mean - data.y[:, 0]) ** 2))), "spearman": float(spearmanr(mean, data.y[:, 0]).statistic)}


def scorer(guide: Predictor) -> Any:
    return product_of(predicted(guide, "pIC50", low=CONFIG["low"], high=CONFIG["high"]), qed_term(), synthesizable(), no_alerts("PAINS"))


def searched(guide: Predictor, seed: int, folder: Path) -> list[str]:
    """The best by total of a search that starts from samples of the shipped prior: no known inhibitor is given to it."""
    config = GeneticConfig().replace(**CONFIG["optimizer"])
    found = optimize(load_generator("prior_moses"), scorer(guide), budget=CONFIG["budget"], seed=seed, out=folder, config=config, every=1000)
    return [one.smiles for one in found.top(CONFIG["top"])]


def screened(guide: Predictor) -> list[str]:
    """The best of as many library molecules under the same score."""
    smiles = [smi for part in read_library(Path(os.environ["DRUGAI_DATA"]) / CONFIG["library"]) for smi in part.smiles]
    batch = MoleculeBatch(list(dict.fromkeys(smi for smi in MoleculeBatch(smiles).canonical if smi))[: CONFIG["budget"]])
    total = scorer(guide).score(batch).total
    return [batch.smiles[row] for row in np.argsort(-total, kind="stable")[: CONFIG["top"]]]


def best_known(data: Dataset) -> list[str]:
    """The most active molecules that the guide was trained on, by measurement."""
    return [data.smiles[row] for row in np.argsort(-data.y[:, 0], kind="stable")[: CONFIG["top"]]]


def judged(kind: str, smiles: list[str], known: Dataset, judge: Predictor) -> dict[str, Any]:
    """What the judge and plain chemistry say of molecules."""
    batch = MoleculeBatch(smiles)
    value = judge.predict(batch).mean[:, 0]
    best = judge.predict([known.smiles[int(np.argmax(known.y[:, 0]))]]).mean[0, 0]
    training = MoleculeBatch(known.smiles)
    bits, of_known = fingerprint(batch), fingerprint(training)
    nearest = tanimoto(bits, of_known).max(1)
    pairs = tanimoto(bits)[np.triu_indices(len(batch), 1)]
    ready = {smi for smi in training.canonical if smi}
    return {
        "kind": kind,
        "molecules": len(batch),
        "judge_mean": float(value.mean()),
        "judge_most": float(value.max()),
        "share_active": float((value >= CONFIG["active"]).mean()),
        "judge_of_best_training_molecule": float(best),
        "share_above_best_training_molecule": float((value > best).mean()),
        "diversity": float(1 - pairs.mean()),
        "scaffolds": len(set(murcko_scaffolds(batch)) - {""}),
        "new": float(np.mean([smi not in ready for smi in batch.canonical])),
        "similarity_to_nearest_training_molecule": float(np.median(nearest)),
        "share_with_brenk_alert": float(np.mean([bool(hits) for hits in find_alerts(batch, ("BRENK",))])),
        "qed": float(qed(batch).mean()),
        "synthetic_accessibility": float(synthetic_accessibility(batch).mean()),
        "best": [batch.smiles[row] for row in np.argsort(-value, kind="stable")[:5]],
    }


def table() -> str:
    """Markdown from the cells."""
    columns = {
        "judge_mean": "judge's mean pIC50", "share_active": f"judged ≥ {CONFIG['active']:g}", "share_above_best_training_molecule": "above the best training molecule", "diversity": "diversity",
        "scaffolds": "scaffolds", "new": "new", "similarity_to_nearest_training_molecule": "similarity to the nearest known", "share_with_brenk_alert": "BRENK alert", "qed": "QED",
        "synthetic_accessibility": "SA",
    }  # fmt: skip
    lines = [f"| {CONFIG['top']} molecules | {' | '.join(columns.values())} |", "|---" * (len(columns) + 1) + "|"]
    for file in sorted(RESULTS.glob("*.json")):
        found = json.loads(file.read_text())
        if "kind" in found or "failed" in found:
            lines.append(f"| {file.stem} | " + (found.get("failed") or " | ".join(f"{found[name]:.3g}" for name in columns)) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
