"""Put a pre-trained encoder into the package: weights in bfloat16 and a model card with its numbers and its learning curve.

python experiments/18_language_model/ship.py --run runs/encoder --out drugai/shipped/encoder_small
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from drugai.featurizers.molecule_store import LONGEST
from drugai.models.encoder_pretraining import DESCRIPTORS
from drugai.models.encoder_store import SavedEncoder, load_encoder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder that `drugai pretrain encoder` wrote")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "table.json")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    saved = load_encoder(arguments.run)
    values = json.loads(arguments.results.read_text(encoding="utf-8"))
    saved.save(arguments.out, precision="bf16", card=model_card(saved, values))


def model_card(saved: SavedEncoder, values: dict[str, Any]) -> str:
    """The card in Markdown."""
    record, corpus, history = saved.record, saved.record["corpus"], saved.record["history"]
    net, settings = record["training"]["net"], record["training"]
    parameters = sum(value.numel() for value in saved.encoder.parameters())
    sources = "\n".join(
        f"| {source['file']} | {source['rows']:,} | {source['kept']:,} | {', '.join(f'{count:,} {code}' for code, count in source['left_out'].items()) or '–'} |" for source in corpus["sources"]
    )
    curve = "\n".join(
        f"| {row} | {entry['train_loss']:.3f} | {entry['loss']:.3f} | {entry['masked']:.3f} | {entry['accuracy']:.3f} | {entry['bits']:.4f} | {entry['descriptors']:.3f} |"
        for row, entry in enumerate(history["epochs"], 1)
    )
    measured = "\n".join(
        f"| {name} ({values['protocol']['datasets'][name]}) | {model} | {found['test']['value']:.3f} [{found['test']['low']:.3f}, {found['test']['high']:.3f}] |"
        for name, models in values["rows"].items()
        for model, found in models.items()
        if found.get("test")
    )
    return f"""# Encoder of SMILES, small

A transformer that reads SMILES tokens both ways (ModernBERT of the transformers library, {net["layers"]} layers of {net["width"]}, {net["heads"] or net["width"] // 32} heads), {parameters:,} parameters in bfloat16,
{saved.reader.size} tokens. It is the start of `--model lm --set encoder=encoder_small`, and its embeddings (`embed_smiles`) are features for any model.

- **Taught**, without labels: {settings["share"]:.0%} of the tokens hidden, and from a random spelling of a molecule its Morgan fingerprint (1,024 bits) and {len(DESCRIPTORS)} descriptors.
- **Training**: {history["steps"]:,} steps of {settings["batch"]} molecules, about {corpus["seen"]:,} spellings seen, {history["seconds"] / 60:.0f} minutes of one busy processor core; AdamW at
  {settings["loop"]["learning_rate"]:g}, {settings["loop"]["schedule"]}. That is little: ChemBERTa-2 was taught on 5 to 77 million molecules (arXiv:2209.01712).
- **Molecules**: {corpus["molecules"]:,} of the files below, of which a part was seen. No label of any of them was read. Molecules of the test parts of benchmarks are not excluded, as ChEMBL and ZINC
  hold some of them too: their structures may have been seen, their values were not.
- **Licences** of the structures: MOSES MIT; ChEMBL CC BY-SA 3.0; ZINC and QM9 as the data cards say.
- **For**: fine-tuning and features on small sets of drug-like molecules. **Not for**: molecules of more than {LONGEST} tokens (none was seen), metals, reactions.

| file | rows read | kept | left out |
|---|---|---|---|
{sources}

## Measured

`experiments/18_language_model/run.py`, scaffold split, one seed; 95 % bootstrap intervals.

| data (metric) | model | test |
|---|---|---|
{measured}

## Learning curve

One row for about {settings["chapter"]:,} molecules; held-out cross-entropy of hidden tokens and of fingerprint bits [nat], accuracy of hidden tokens, mean squared error of standardized descriptors.

| chapter | training loss | held-out loss | hidden tokens | accuracy | bits | descriptors |
|---|---|---|---|---|---|---|
{curve}
"""


if __name__ == "__main__":
    main()
