"""Put a pre-trained graph network into the package: weights in bfloat16 and a model card with its numbers and its learning curve.

python experiments/20_graph_encoder/ship.py --run runs/graph --out drugai/shipped/graph_encoder_small
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from drugai.artifact import write_text_atomically
from drugai.models.encoder_pretraining import BITS, DESCRIPTORS
from drugai.models.graph_pretraining import GraphEncoder, load_graph_encoder, save_graph_encoder

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder that `drugai pretrain graph` wrote")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    encoder = load_graph_encoder(arguments.run)
    values = json.loads((RESULTS / "table.json").read_text(encoding="utf-8"))
    write_text_atomically(RESULTS / "curve.json", json.dumps({"corpus": encoder.record["corpus"], "history": encoder.record["history"]}, indent=1) + "\n")
    save_graph_encoder(arguments.out, encoder.config, encoder.trunk, encoder.record, "bf16", model_card(encoder, values))


def model_card(encoder: GraphEncoder, values: dict[str, Any]) -> str:
    """The card in Markdown."""
    net, corpus, history, settings = encoder.config, encoder.record["corpus"], encoder.record["history"], encoder.record["training"]
    parameters = sum(value.numel() for value in encoder.trunk.values())
    sources = "\n".join(
        f"| {source['file']} | {source['rows']:,} | {source['kept']:,} | {', '.join(f'{count:,} {code}' for code, count in source['left_out'].items()) or '–'} |" for source in corpus["sources"]
    )
    curve = "\n".join(
        f"| {row} | {entry['train_loss']:.3f} | {entry['loss']:.3f} | {entry['masked']:.3f} | {entry['accuracy']:.3f} | {entry['bits']:.4f} | {entry['descriptors']:.3f} |"
        for row, entry in enumerate(history["epochs"], 1)
    )
    measured = "\n".join(
        f"| {name} ({values['protocol']['datasets'][name]}) | {model} | {found['test']:.3f} | {len(found['seeds'])} |"
        for name, models in values["rows"].items()
        for model, found in models.items()
        if model != "picked"
    )
    return f"""# Encoder of molecular graphs, small

A graph network ({net.encoder}, {net.depth} layers of {net.width}, {net.pooling} pooling), {parameters:,} parameters in bfloat16. It is the start of `--model gnn --set encoder=graph_encoder_small`, and its embeddings
(`drugai embed graph_encoder_small FILE`) are features for any model.

- **Taught**, without labels: the element of {settings["share"]:.0%} of the atoms, hidden; and the molecule's Morgan fingerprint ({BITS:,} bits) and {len(DESCRIPTORS)} descriptors.
- **Training**: {history["steps"]:,} steps of {settings["batch"]} molecules, {corpus["seen"]:,} molecules seen once, {history["seconds"] / 60:.0f} minutes of one processor core in bfloat16; AdamW at
  {settings["loop"]["learning_rate"]:g}, {settings["loop"]["schedule"]}.
- **Molecules**: {corpus["molecules"]:,} of the files below. No label of any of them was read. Molecules of the test parts of benchmarks are not excluded, as ChEMBL and ZINC hold some of them too: their structures
  may have been seen, their values were not.
- **Licences** of the structures: MOSES MIT; ChEMBL CC BY-SA 3.0; ZINC and QM9 as the data cards say.
- **For**: fine-tuning and features on small sets of drug-like molecules. **Not for**: metals, reactions.

| file | rows read | kept | left out |
|---|---|---|---|
{sources}

## Measured

`experiments/20_graph_encoder/run.py`, scaffold split; mean over the seeds. `full`, `slow` and `frozen` start from it, `same` is the same network from random weights, `gnn` the default one.

| data (metric) | model | test | seeds |
|---|---|---|---|
{measured}

## Learning curve

One row for about {settings["chapter"]:,} molecules; held-out cross-entropy of hidden elements and of fingerprint bits [nat], accuracy of hidden elements, mean squared error of standardized descriptors.

| chapter | training loss | held-out loss | hidden atoms | accuracy | bits | descriptors |
|---|---|---|---|---|---|---|
{curve}
"""


if __name__ == "__main__":
    main()
