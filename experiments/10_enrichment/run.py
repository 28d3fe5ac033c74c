"""Early recognition on the DUD and ChEMBL virtual-screening sets: the suite's fused scorer against Tanimoto-to-nearest-active and a random forest.

    DRUGAI_DATA=… OMP_NUM_THREADS=1 python experiments/10_enrichment/run.py [--collection vs_dud] [--seconds 600]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import cell, code_hash  # noqa: E402
from rdkit import Chem, RDLogger  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402

from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.contracts import Dataset, Task  # noqa: E402
from drugai.data import read_dataset  # noqa: E402
from drugai.featurizers.blocks import BLOCKS  # noqa: E402
from drugai.metrics.enrichment import enrichment_summary  # noqa: E402
from drugai.molecules import MoleculeBatch, fingerprint, murcko_scaffolds, tanimoto  # noqa: E402
from drugai.predictors.trees import TreesConfig  # noqa: E402
from drugai.runtime import derive_seed, generator  # noqa: E402
from drugai.scoring import mean_of, predicted, similar_to  # noqa: E402
from drugai.training.fit import fit_on  # noqa: E402

CODE = code_hash(["molecules", "metrics", "featurizers", "predictors", "training", "scoring"])
METRICS = ("roc_auc", "ef1", "ef5", "bedroc")


def targets_of(collection: str) -> dict[str, tuple[list[str], list[str]]]:
    """Target → SMILES of its actives and its decoys."""
    data = read_dataset(collection)
    target, active = [str(value) for value in data.columns["target"]], data.y[:, 0]
    names = sorted({name for name, flag in zip(target, active, strict=True) if flag == 1})
    by_name: dict[str, tuple[list[str], list[str]]] = {name: ([], []) for name in names}
    shared = [smi for smi, name in zip(data.smiles, target, strict=True) if name not in by_name]  # the ChEMBL sets have one set of decoys
    for smi, name, flag in zip(data.smiles, target, active, strict=True):
        if name in by_name:
            by_name[name][0 if flag == 1 else 1].append(smi)
    return {name: (actives, decoys or shared) for name, (actives, decoys) in by_name.items()}


def distinct(actives: list[str], decoys: list[str]) -> tuple[list[str], np.ndarray]:
    """Each readable molecule once (stereo left out of the comparison), actives first, and the flags."""
    seen: dict[str, tuple[str, float]] = {}
    for smi, flag in [*((smi, 1.0) for smi in actives), *((smi, 0.0) for smi in decoys)]:
        mol = Chem.MolFromSmiles(smi)
        if mol is not None:
            seen.setdefault(Chem.MolToSmiles(mol, isomericSmiles=False), (smi, flag))
    return [smi for smi, _ in seen.values()], np.array([flag for _, flag in seen.values()])


def training_rows(smiles: list[str], flags: np.ndarray, setting: str, seed: int, protocol: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Rows that the methods may see and rows that are ranked."""
    dice = generator(seed, "enrichment", setting)
    actives, decoys = np.flatnonzero(flags == 1), np.flatnonzero(flags == 0)
    wanted = max(protocol["least_actives"], round(protocol["train_share"] * len(actives)))
    train_decoys = dice.permutation(decoys)[: round(protocol["train_share"] * len(decoys))]
    if setting == "random":
        train_actives = dice.permutation(actives)[:wanted]
    else:
        scaffolds = np.array(murcko_scaffolds([smiles[row] for row in actives]), dtype=object)
        scaffolds[scaffolds == ""] = [f"acyclic {k}" for k in range(int((scaffolds == "").sum()))]
        groups = [actives[scaffolds == name] for name in dice.permutation(sorted(set(scaffolds)))]
        chosen: list[np.ndarray] = []
        for group in groups:  # whole scaffolds, small ones first come: a group that is more than half of all actives is left to be ranked
            if sum(map(len, chosen)) < wanted and len(group) <= len(actives) / 2:
                chosen.append(group)
        train_actives = np.concatenate(chosen)
    train = np.concatenate([train_actives, train_decoys])
    return train, np.setdiff1d(np.arange(len(flags)), train)


def rank(smiles: list[str], flags: np.ndarray, setting: str, seed: int, protocol: dict[str, Any], cache: dict[Any, Any]) -> dict[str, Any]:
    """Scores of every method on the ranked molecules of one target, as metrics."""
    train, ranked = training_rows(smiles, flags, setting, seed, protocol)
    bits = bits_of(smiles, cache)
    known = train[flags[train] == 1]
    scores: dict[str, np.ndarray] = {"tanimoto": tanimoto(bits[ranked], bits[known]).max(axis=1)}
    forest = RandomForestClassifier(200, class_weight="balanced", random_state=derive_seed(seed, "forest") % 2**31, n_jobs=1)
    forest.fit(bits[train], flags[train])
    scores["forest"] = forest.predict_proba(bits[ranked])[:, 1]
    data = Dataset("target", tuple(smiles), flags[:, None], (Task("active", "binary"),))
    order = generator(seed, "valid").permutation(len(train))
    share = max(1, len(train) // 5)
    valid, rest = train[order[:share]], train[order[share:]]
    if flags[rest].sum() < 2:  # too few actives for a validation part of their own
        valid, rest = train, train
    config = TreesConfig(**{**protocol["trees"], "blocks": tuple(protocol["trees"]["blocks"])})
    model = fit_on(config, data.take(rest), data.take(valid), seed=seed)
    fused = mean_of(predicted(model, "active"), similar_to([smiles[row] for row in known]))
    batch = MoleculeBatch([smiles[row] for row in ranked])
    for block in protocol["trees"]["blocks"]:  # the decoys serve many targets: what does not depend on the target is computed once
        batch.preset(("block", block), block_of(list(batch.smiles), block, cache))
    found = fused.score(batch)
    scores["trees"] = found.raw["active"]
    scores["fused"] = found.total
    return {
        "n_train_actives": len(known), "n_train_decoys": int(len(train) - len(known)), "n_ranked": len(ranked),
        "shared": len({smiles[row] for row in train} & {smiles[row] for row in ranked}),
        "metrics": {name: enrichment_summary(flags[ranked], np.nan_to_num(values)) for name, values in scores.items()},
    }  # fmt: skip


def bits_of(smiles: list[str], cache: dict[Any, Any]) -> np.ndarray:
    """Morgan bits; the shared decoys are computed once."""
    new = [smi for smi in smiles if smi not in cache]
    for begin in range(0, len(new), 2000):
        part = new[begin : begin + 2000]
        cache.update(zip(part, fingerprint(MoleculeBatch(part), "morgan", bits=2048, radius=2).astype(bool), strict=True))
    return np.stack([cache[smi] for smi in smiles])


def block_of(smiles: list[str], block: str, cache: dict[Any, Any]) -> np.ndarray:
    """A feature block, each molecule computed once."""
    own = cache.setdefault(("block", block), {})
    new = [smi for smi in smiles if smi not in own]
    for begin in range(0, len(new), 2000):
        part = new[begin : begin + 2000]
        own.update(zip(part, BLOCKS[block](MoleculeBatch(part)).astype(np.uint16), strict=True))
    return np.stack([own[smi] for smi in smiles])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collection")
    parser.add_argument("--setting")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no further cell after so long; the next start goes on")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    RDLogger.DisableLog("rdApp.*")
    begun = time.monotonic()
    collections = [options.collection] if options.collection else ["vs_dud", "vs_chembl"]
    wanted = [options.setting] if options.setting else list(protocol["settings"])
    for collection in collections:
        cache: dict[Any, Any] = {}
        for target, (actives, decoys) in targets_of(collection).items():
            todo = [(setting, seed) for setting in wanted for seed in protocol["settings"][setting][collection]]
            names = {one: f"{collection}_{one[0]}_{one[1]}_{target}" for one in todo}
            if all((HERE / "results" / "cells" / f"{name}.json").is_file() for name in names.values()):
                continue
            if time.monotonic() - begun > options.seconds:
                break
            smiles, flags = distinct(actives, decoys)
            for (setting, seed), name in names.items():
                cell(HERE / "results" / "cells", name, lambda a=setting, b=seed, s=smiles, f=flags, c=cache: rank(s, f, a, b, protocol, c), code=CODE)
            if collection == "vs_dud":
                cache.clear()
    write_table(protocol)


def write_table(protocol: dict[str, Any]) -> None:
    """Means over targets of all cells that are there, with the paired differences."""
    table: dict[str, Any] = {}
    lines = ["| collection | training actives | targets | method | ROC AUC | EF1 % | BEDROC | BEDROC, fused minus it, paired [95 %] |", "|---|---|---|---|---|---|---|---|"]
    methods = ("tanimoto", "forest", "trees", "fused")
    for collection in ("vs_dud", "vs_chembl"):
        for setting, seeds in protocol["settings"].items():
            by_target: dict[str, list[dict[str, Any]]] = {}
            failed = 0
            for seed in seeds[collection]:
                prefix = f"{collection}_{setting}_{seed}_"
                for file in sorted((HERE / "results" / "cells").glob(f"{prefix}*.json")):
                    found = json.loads(file.read_text())
                    if "failed" in found:
                        failed += 1
                    else:
                        by_target.setdefault(file.stem.removeprefix(prefix), []).append(found["metrics"])
            if not by_target:
                continue
            values = {
                (method, metric): np.array([np.mean([found[method][metric] for found in cells]) for cells in by_target.values()])
                for method in methods for metric in METRICS
            }  # fmt: skip
            dice = np.random.default_rng(0)
            draws = dice.integers(len(by_target), size=(2000, len(by_target)))
            for method in methods:
                entry: dict[str, Any] = {"targets": len(by_target), "failed": failed}
                cells = []
                for metric in METRICS:
                    low, high = np.percentile(values[method, metric][draws].mean(axis=1), [2.5, 97.5])
                    entry[metric] = {"mean": float(values[method, metric].mean()), "interval": [float(low), float(high)]}
                    digits = 1 if metric.startswith("ef") else 3
                    cells.append(f"{entry[metric]['mean']:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]")
                text = ""
                if method != "fused":
                    difference = values["fused", "bedroc"] - values[method, "bedroc"]
                    low, high = np.percentile(difference[draws].mean(axis=1), [2.5, 97.5])
                    entry["fused_minus"] = {"mean": float(difference.mean()), "interval": [float(low), float(high)], "targets_won": int((difference > 0).sum())}
                    text = f"{difference.mean():+.3f} [{low:+.3f}, {high:+.3f}], better on {int((difference > 0).sum())}"
                table.setdefault(collection, {}).setdefault(setting, {})[method] = entry
                note = f" ({failed} cells failed)" if failed else ""
                lines.append(f"| {collection} | {setting} | {len(by_target)}{note} | {method} | {cells[0]} | {cells[1]} | {cells[3]} | {text} |")
    print("\n".join(lines))
    caption = "\n\nMean over targets [95 % by bootstrap over targets]; `python experiments/10_enrichment/run.py`. Chance: ROC AUC 0.5, EF1 % 1.\n"
    write_text_atomically(HERE / "results" / "table.md", "\n".join(lines) + caption)
    write_text_atomically(HERE / "results" / "table.json", json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
