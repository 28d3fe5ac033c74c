"""Put a trained prior into the package: weights in bfloat16 and a model card with its numbers and its learning curve.

python experiments/11_moses/ship_prior.py --run runs/prior --results experiments/11_moses/results/prior.json --out drugai/shipped/prior_moses
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from drugai.generation import load_generator
from drugai.generation.prior import Prior


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of train_prior.py")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "prior.json")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    prior = load_generator(arguments.run / "prior")
    values = json.loads(arguments.results.read_text(encoding="utf-8"))
    prior.save(arguments.out, precision="bf16", card=model_card(prior, values))


def model_card(prior: Prior, values: dict[str, Any]) -> str:
    """The card in Markdown."""
    record = prior.record
    corpus = record["corpus"]
    parameters = sum(value.numel() for value in prior.model.parameters())
    parts = [*record.get("earlier", []), record]
    curve = "\n".join(
        f"| {number}.{row} | {entry['train_loss']:.4f} | {entry['loss']:.4f} | {entry.get('validity', float('nan')):.3f} |"
        for number, part in enumerate(parts, 1)
        for row, entry in enumerate(part["history"]["epochs"], 1)
    )
    trained = "\n".join(f"  {number}. {told(part, number > 1)}" for number, part in enumerate(parts, 1))
    measured = "\n".join(f"| {name} | {value:.4g} |" for name, value in values.items() if isinstance(value, (int, float)))
    return f"""# Prior of drug-like molecules (MOSES)

A chemical language model that writes SMILES. {prior.config.cell.upper()}, {prior.config.layers} layers of {prior.config.width}, {parameters:,} parameters in bfloat16,
{len(prior.vocabulary)} tokens.

- **Data**: {corpus["trained_on"]:,} molecules of the MOSES training set (from ZINC Clean Leads: 250–350 Da, XlogP ≤ 3.5, at most 7 rotatable bonds, no charges, no stereo marks,
  only C, N, O, S, F, Cl, Br and H); {corpus["molecules"] - corpus["trained_on"]:,} held out.
- **Training**, one thread of a busy machine:
{trained}
- **For**: samples of drug-like space, a start for fine-tuning and optimisation. **Not for**: charged or chiral molecules, phosphorus, iodine, boron: its vocabulary
  does not spell them (`extend_vocabulary` makes room, fine-tuning teaches them).
- **Nothing is filtered**: samples are raw. A share is unreadable; none is checked for safety, stability or synthesis.

## Measured

{int(values["samples"]):,} raw samples, seed {int(values["seed"])}, temperature {values["temperature"]:g} (`experiments/11_moses/run.py`).

| metric | value |
|---|---|
{measured}

## Learning curve

One row for about 100,000 molecules; losses in nat a token, validity of {record["training"]["samples"]} samples.

| part | training loss | held-out loss | validity |
|---|---|---|---|
{curve}
"""


def told(part: dict[str, Any], goes_on: bool) -> str:
    """One training in a sentence, with its command."""
    settings, history = part["training"], part["history"]
    loop = settings["loop"]
    changes = {"batch": settings["batch"]}
    if goes_on:
        changes |= {"first_chapter": settings["first_chapter"], "loop.learning_rate": loop["learning_rate"], "loop.average": loop["average"]}
    command = f"python experiments/11_moses/train_prior.py --out runs/{'longer' if goes_on else 'prior'} --minutes {loop['minutes']:g}"
    command += (" --from runs/prior/prior" if goes_on else "") + "".join(f" --set {key}={value:g}" for key, value in changes.items())
    average = f", weights averaged with decay {loop['average']:g}" if loop["average"] else ""
    return f"`{command}`: {history['steps']:,} steps, {history['seconds'] / 3600:.2f} h of wall-clock time, AdamW at {loop['learning_rate']:g}, {loop['schedule']}{average}."


if __name__ == "__main__":
    main()
