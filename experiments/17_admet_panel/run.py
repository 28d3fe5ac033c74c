"""Fit the ADMET panel that ships, test it against models of one task, and measure its rate.

    python experiments/17_admet_panel/run.py fit [--endpoints NAME …]   # one endpoint a piece, kept in runs/admet
    python experiments/17_admet_panel/run.py test [--endpoints NAME …]  # opens the test sets: the panel's fits and one-task models
    python experiments/17_admet_panel/run.py ship                       # writes drugai/shipped/admet from the fits and their test results
    python experiments/17_admet_panel/run.py cover                      # how often what ships holds the truth in its intervals, and its model card
    python experiments/17_admet_panel/run.py rate --admet-ai PYTHON     # molecules a second, beside admet_ai in an environment of its own
    python experiments/17_admet_panel/run.py table
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from cells import cell, code_hash  # noqa: E402
from protocol import ENDPOINTS, PROTOCOL, approved_drugs, auxiliary_of, fit_folder, measured_of, parts_of, plan_of, recipe  # noqa: E402
from rate import measure_rate  # noqa: E402
from tables import card_text, tables  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import is_artifact, write_text_atomically  # noqa: E402
from drugai.data.grouping import canonical_smiles  # noqa: E402
from drugai.featurizers.blocks import featurize_blocks  # noqa: E402
from drugai.metrics.property import estimate  # noqa: E402
from drugai.molecules import MoleculeBatch  # noqa: E402
from drugai.predictors.admet_panel import load_panel, with_auxiliary  # noqa: E402
from drugai.predictors.loading import SHIPPED  # noqa: E402
from drugai.training.admet import FoldFit, build_panel, fit_folds  # noqa: E402
from drugai.training.fit import model_config  # noqa: E402

CELLS = HERE / "results" / "cells"
CODE = code_hash(["molecules", "featurizers", "predictors/packed_trees", "training/admet"])
CODE_SINGLE = code_hash(["molecules", "featurizers", "predictors", "training"])


def fit(entry: dict[str, Any], seed: int) -> dict[str, Any]:
    """Fit one endpoint, keep the fit, and say what the folds held out."""
    auxiliary = [FoldFit.load(fit_folder(name, seed)) for name in auxiliary_of(entry)]
    found = fit_folds(plan_of(entry), measured_of(entry), recipe(), seed=seed, auxiliary=auxiliary)
    found.save(fit_folder(entry["name"], seed))
    return {"metric": entry["metric"], "held_out": found.score(entry["metric"]), "n": len(found.data), "trees": list(found.sizes)}


def test_panel(entry: dict[str, Any], seed: int) -> dict[str, Any]:
    """The fitted endpoint on the given test set: values alone, so that calibration plays no part."""
    data, split = parts_of(entry)
    test = data.take(split.test)
    bare = featurize_blocks(MoleculeBatch(test.smiles), recipe().blocks)
    auxiliary = [FoldFit.load(fit_folder(name, seed)) for name in auxiliary_of(entry)]
    fitted = FoldFit.load(fit_folder(entry["name"], seed))
    found = _scored(entry, test.y[:, 0], fitted.values(with_auxiliary(bare, [one.trees(bare) for one in auxiliary])), split.checksum)
    if auxiliary:  # a test molecule may have been measured for another endpoint: how good is the model where it was not?
        smiles = canonical_smiles(test.smiles)
        unseen = fitted.values(with_auxiliary(bare, [one.not_grown_on(smiles, bare) for one in auxiliary]))
        elsewhere = {text for one in auxiliary for text in one.data.smiles}
        found |= {"measured_elsewhere": sum(text in elsewhere for text in smiles), "test_held_out": estimate(entry["metric"], test.y[:, 0], unseen).to_dict()}
    return found


def test_single(entry: dict[str, Any]) -> dict[str, Any]:
    """`drugai train --model trees` on the same parts: trained on train, ended by valid."""
    data, split = parts_of(entry)
    single = PROTOCOL["single"]
    model = drugai.fit_predictor(model_config(single["model"], {"threads": 1}), data, split, seed=single["seed"])
    test = data.take(split.test)
    return {**_scored(entry, test.y[:, 0], model.predict(test.smiles).mean[:, 0], split.checksum), "trees": model.record["trees"]}


def truth(entry: Mapping[str, Any]) -> np.ndarray:
    """``[n]`` measured values of an endpoint's test set."""
    data, split = parts_of(dict(entry))
    return np.asarray(data.y[split.test, 0])


def _scored(entry: dict[str, Any], true: np.ndarray, predicted: np.ndarray, checksum: str) -> dict[str, Any]:
    return {
        "metric": entry["metric"], "test": estimate(entry["metric"], true, predicted).to_dict(), "split_checksum": checksum,
        "predictions": [round(float(value), 5) for value in predicted],
    }  # fmt: skip


def ship() -> None:
    """Write the panel, with the test result in each endpoint's card."""
    fits = []
    for entry in ENDPOINTS:
        found = FoldFit.load(fit_folder(entry["name"], PROTOCOL["seed"]))
        tested = json.loads((CELLS / f"{entry['name']}_panel.json").read_text())
        told = {**found.plan.card, "measured": entry["measured"], "metric": entry["metric"], "test": tested["test"], "learns_from": list(found.plan.auxiliary)}
        fits.append(replace(found, plan=replace(found.plan, card=told)))
    notes = {"recipe": "experiments/17_admet_panel", "code": CODE}
    panel = build_panel(fits, approved_drugs(), recipe(), seed=PROTOCOL["seed"], notes=notes)
    target = panel.save(ROOT / "drugai" / "shipped" / "admet")
    size = sum(file.stat().st_size for file in target.iterdir())
    print(f"{target}: {size / 1e6:.2f} MB")


def coverage(entry: dict[str, Any]) -> dict[str, Any]:
    """Of what ships, on an endpoint's test set: how many values lie in their intervals or class sets, how wide these are, inside and outside the domain."""
    panel = load_panel().select([entry["name"]])
    data, split = parts_of(entry)
    test = data.take(split.test)
    profile = panel.profile(test.smiles, level=PROTOCOL["level"])
    true, said = test.y[:, 0], profile.predictions
    good = np.array([not why for why in said.reasons])
    inside = profile.in_domain[:, 0] & good
    if panel.tasks[0].kind == "regression":
        hit = (true >= said.lower[:, 0]) & (true <= said.upper[:, 0])
        told = {"width": float(np.median((said.upper - said.lower)[good]))}
    else:
        sets = said.sets[entry["name"]]
        hit = np.array([str(int(value)) in text.split() for value, text in zip(true, sets, strict=True)])
        told = {"one_class": float(np.mean([text in ("0", "1") for text in sets[good]]))}
    shares = {name: float(hit[rows].mean()) if rows.any() else None for name, rows in (("all", good), ("in", inside), ("out", good & ~inside))}
    return {"n": int(good.sum()), "in_domain": int(inside.sum()), "covered": shares, **told}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("fit", "test", "ship", "cover", "rate", "table"))
    parser.add_argument("--endpoints", nargs="*", help="these alone")
    parser.add_argument("--only", choices=("panel", "single"), help="of test")
    parser.add_argument("--admet-ai", help="Python of an environment with admet_ai")
    parser.add_argument("--seed", type=int, default=PROTOCOL["seed"], help="of fit and test, to see how much chance there is in them; what ships has the protocol's")
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args()
    chosen = [entry for entry in ENDPOINTS if not options.endpoints or entry["name"] in options.endpoints]
    for entry in sorted(chosen, key=lambda entry: bool(auxiliary_of(entry))):  # those that are learnt from come first
        name = entry["name"]
        suffix = "" if options.seed == PROTOCOL["seed"] else f"_{options.seed}"
        if options.step == "fit":
            again = options.again or not is_artifact(fit_folder(name, options.seed))
            found = cell(CELLS, f"{name}_fit{suffix}", partial(fit, entry, options.seed), code=CODE, again=again)
            print(name, found, flush=True)
        if options.step == "test" and options.only != "single":
            cell(CELLS, f"{name}_panel{suffix}", partial(test_panel, entry, options.seed), code=CODE, again=options.again)
        if options.step == "test" and options.only != "panel" and not suffix:
            found = cell(CELLS, f"{name}_single", partial(test_single, entry), code=CODE_SINGLE, again=options.again)
            print(name, "single", found.get("test"), found["cpu_seconds"], flush=True)
        if options.step == "cover":
            cell(CELLS, f"{name}_coverage", partial(coverage, entry), code=code_hash(["predictors/admet_panel", "predictors/nearest_measured"]), again=options.again)
    if options.step == "ship":
        ship()
    if options.step == "cover":
        write_text_atomically(SHIPPED / "admet" / "README.md", card_text(load_panel(), CELLS))
    if options.step == "rate":
        cell(CELLS, "rate", partial(measure_rate, options.admet_ai), code=code_hash(["molecules", "featurizers", "predictors"]), again=True)
    text = tables(CELLS, ENDPOINTS, truth, PROTOCOL["seeds"])
    write_text_atomically(HERE / "results" / "table.md", text)
    if options.step == "table":
        print(text)


if __name__ == "__main__":
    main()
