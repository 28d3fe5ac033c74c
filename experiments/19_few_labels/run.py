"""With 16, 32 or 64 labels: is a frozen encoder better than fingerprints and descriptors?

    DRUGAI_DATA=… python experiments/19_few_labels/run.py [--encoder encoder_small] [--only bace] [--table]

A cell is one data set: every pair of features and head on the same draws of labels.
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

from cells import cell, code_hash  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import file_checksum, write_text_atomically  # noqa: E402
from drugai.featurizers.blocks import featurize_blocks  # noqa: E402
from drugai.models.encoder_store import SavedEncoder, embed_smiles, load_encoder, shipped_encoders  # noqa: E402
from drugai.models.smiles_encoder import EncoderConfig  # noqa: E402
from drugai.molecules import MoleculeBatch  # noqa: E402
from drugai.training.few_labels import few_label_scores  # noqa: E402

CODE = code_hash(["molecules", "featurizers", "models", "training"])


def one(protocol: dict[str, Any], name: str, encoder: str) -> dict[str, Any]:
    """Scores of every pair on every draw."""
    data = drugai.read_dataset(name)
    split = drugai.split(data, method=protocol["split"], fractions=tuple(protocol["fractions"]), seed=0)
    saved = load_encoder(encoder)
    blank = SavedEncoder.untrained(EncoderConfig.from_dict(saved.shape["own"]), saved.reader, protocol["seed"])
    batch = MoleculeBatch(data.smiles)
    ours, reasons = embed_smiles(saved, batch)
    features = {
        "encoder": ours, "random encoder": embed_smiles(blank, batch)[0], "fingerprint counts": featurize_blocks(batch, ("morgan",)),
        "descriptors": featurize_blocks(batch, ("all_descriptors",)),
    }  # fmt: skip
    features["encoder and descriptors"] = np.concatenate([features["encoder"], features["descriptors"]], axis=1)
    fine = ~np.isnan(data.y[:, 0]) & np.array([not why for why in reasons])
    pool = np.array([row for row in (*split.train, *split.valid) if fine[row]])
    test = np.array([row for row in split.test if fine[row]])
    pairs = [(pair["features"], head) for pair in protocol["pair"] for head in pair["heads"]]
    classes = protocol["datasets"][name] == "binary"
    found = few_label_scores(features, data.y[:, 0], pool, test, pairs, classes=classes, shots=protocol["shots"], draws=protocol["draws"], seed=protocol["seed"])
    place = shipped_encoders().get(encoder, Path(encoder))
    return {
        "split_checksum": split.checksum, "pool": len(pool), "test": len(test), "left_out": int((~fine).sum()), "encoder": file_checksum(place / "encoder.safetensors")[:16],
        "scores": [{"features": one.features, "head": one.head, "shots": one.shots, "scores": [round(value, 5) for value in one.scores]} for one in found],
    }  # fmt: skip


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean and its 95 % interval by Student's t."""
    from scipy.stats import t as student

    mean = float(values.mean())
    reach = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    return mean, mean - reach, mean + reach


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", default="encoder_small", help="shipped name or folder")
    parser.add_argument("--only", nargs="*", help="these data sets alone")
    parser.add_argument("--table", action="store_true", help="compute nothing: make the table from the stored cells")
    options = parser.parse_args()
    protocol = tomllib.loads((HERE / "config.toml").read_text())
    place = HERE / "results" / "cells"
    cells = {}
    missing = []
    for name in protocol["datasets"]:
        if not (place / f"{name}.json").is_file() and (options.table or (options.only and name not in options.only)):
            missing.append(f"{name}: not run")
            continue
        found = cell(place, name, partial(one, protocol, name, options.encoder), code=CODE)
        if "failed" in found:
            missing.append(f"{name}: {found['failed']}")
        else:
            cells[name] = found
    pairs = [(pair["features"], head) for pair in protocol["pair"] for head in pair["heads"]]
    scores = {name: {(one["features"], one["head"], one["shots"]): np.array(one["scores"]) for one in found["scores"]} for name, found in cells.items()}
    lines = []
    table: dict[str, Any] = {}
    for shots in protocol["shots"]:
        lines += [f"### {shots} labels", "", "| features | head | " + " | ".join(cells) + " | mean over sets | best on | mean less forest on fingerprints, over sets [95 %] |", "|" + "---|" * (len(cells) + 5)]
        best = {name: max(pairs, key=lambda pair: scores[name][(*pair, shots)].mean()) for name in cells}
        for pair in pairs:
            values = {name: interval(scores[name][(*pair, shots)]) for name in cells}
            gaps = np.array([scores[name][(*pair, shots)].mean() - scores[name][("fingerprint counts", "forest", shots)].mean() for name in cells])
            gap = interval(gaps) if len(gaps) else (float("nan"),) * 3
            mean = float(np.mean([value[0] for value in values.values()])) if values else float("nan")
            wins = sum(best[name] == pair for name in cells)
            shown = " | ".join(f"{value:.3f} ± {high - value:.3f}" for value, _, high in values.values())
            lines.append(f"| {pair[0]} | {pair[1]} | {shown} | {mean:.3f} | {wins} | {gap[0]:+.3f} [{gap[1]:+.3f}, {gap[2]:+.3f}] |")
            table[f"{pair[0]} / {pair[1]} / {shots}"] = {"mean": mean, "best_on": wins, "less_forest": gap, "sets": values}
        lines.append("")
    text = "\n".join([*lines, *missing]) + "\n"
    write_text_atomically(HERE / "results" / "table.json", json.dumps({"protocol": protocol, "rows": table, "missing": missing}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "table.md", text)
    print(text)


if __name__ == "__main__":
    main()
