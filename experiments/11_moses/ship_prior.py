"""Put a trained prior into the package: weights in bfloat16 and a model card with its numbers and its learning curve.

python experiments/11_moses/ship_prior.py --run runs/longer --out drugai/shipped/prior_moses
python experiments/11_moses/ship_prior.py --wide --run runs/wide_refined --out drugai/shipped/prior_wide
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
    parser.add_argument("--wide", action="store_true", help="the prior of more elements, charges and stereo marks")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    prior = load_generator(arguments.run / "prior")
    results = Path(__file__).parent / "results" / ("wide.json" if arguments.wide else "prior.json")
    values = json.loads(results.read_text(encoding="utf-8")) if results.is_file() else None
    prior.save(arguments.out, precision="bf16", card=wide_card(prior, values) if arguments.wide else model_card(prior, values or {}))


def model_card(prior: Prior, values: dict[str, Any]) -> str:
    """The card of the MOSES prior in Markdown."""
    corpus = prior.record["corpus"]
    measured = "\n".join(f"| {name} | {value:.4g} |" for name, value in values.items() if isinstance(value, (int, float)))
    return f"""# Prior of drug-like molecules (MOSES)

{shape(prior)}

- **Data**: {corpus["trained_on"]:,} molecules of the MOSES training set (from ZINC Clean Leads: 250–350 Da, XlogP ≤ 3.5, at most 7 rotatable bonds, no charges, no stereo marks,
  only C, N, O, S, F, Cl, Br and H); {corpus["molecules"] - corpus["trained_on"]:,} held out.
- **Training**, one thread of a busy machine:
{trainings(prior)}
- **For**: samples of drug-like space, a start for fine-tuning and optimisation. **Not for**: charged or chiral molecules, phosphorus, iodine, boron: its vocabulary
  does not spell them; `prior_wide` does.
- **Nothing is filtered**: samples are raw. A share is unreadable; none is checked for safety, stability or synthesis.

## Measured

{int(values["samples"]):,} raw samples, seed {int(values["seed"])}, temperature {values["temperature"]:g} (`experiments/11_moses/run.py`).

| metric | value |
|---|---|
{measured}

{curve(prior)}"""


def wide_card(prior: Prior, values: dict[str, Any] | None) -> str:
    """The card of the prior with the wide vocabulary."""
    corpus = prior.record["corpus"]
    measured = "Not measured yet (`experiments/11_moses/wide.py`)."
    if values:
        rows = [(name, found) for name, found in values["samples"].items()]
        names = [name for name in rows[0][1] if name != "shares"]
        lines = [f"| {name} | " + " | ".join("–" if name not in found else f"{found[name]:.4g}" for _, found in rows) + " |" for name in names]
        lines += [f"| with {kind} | " + " | ".join(f"{found['shares'][kind]:.3f}" for _, found in rows) + " |" for kind in rows[0][1]["shares"]]
        spelled = "; ".join(f"{name}: {found['share']:.1%}" for name, found in values["spelled"].items())
        nats = "; ".join(f"{name}: {found['nats_a_token_of_what_both_spell']:.3f}" for name, found in values["spelled"].items())
        measured = f"{values['n']:,} raw samples, seed {values['seed']}, temperature 1 (`experiments/11_moses/wide.py`).\n\n| | " + " | ".join(name for name, _ in rows) + " |\n"
        measured += "|---" * (len(rows) + 1) + "|\n" + "\n".join(lines) + f"\n\nOf {values['spelled']['wide']['molecules']:,} measured compounds the vocabulary spells: {spelled}. Nats a token of those that both spell: {nats}."
    return f"""# Prior with a wide vocabulary (MOSES, ZINC, ChEMBL, natural products)

{shape(prior)}

- **Data**: the MOSES prior, trained further on ZINC and ChEMBL molecules, natural products and some of MOSES, and last on {corpus["trained_on"]:,} ChEMBL molecules alone.
- **Training**, one thread of a busy machine:
{trainings(prior)}
- **For**: work around given molecules: fine-tuning, decoration, linking, neighbours. It spells charges, stereo centres, double-bond stereo, P, I, B, Si and Se.
  **Not for**: the cleanest samples of drug-like space; `prior_moses` has seen far more molecules.
- **Nothing is filtered**: samples are raw. A share is unreadable; none is checked for safety, stability or synthesis.

## Measured

{measured}

{curve(prior)}"""


def shape(prior: Prior) -> str:
    """What the model is."""
    parameters = sum(value.numel() for value in prior.model.parameters())
    return (
        f"A chemical language model that writes SMILES. {prior.config.cell.upper()}, {prior.config.layers} layers of {prior.config.width}, {parameters:,} parameters in bfloat16,\n"
        f"{len(prior.vocabulary)} tokens."
    )


def parts(prior: Prior) -> list[dict[str, Any]]:
    """Its trainings, the first first."""
    return [*prior.record.get("earlier", []), prior.record]


def trainings(prior: Prior) -> str:
    """A line a training."""
    return "\n".join(f"  {number}. {told(part, number > 1)}" for number, part in enumerate(parts(prior), 1))


def curve(prior: Prior) -> str:
    """The section on the learning curve."""
    rows = "\n".join(
        f"| {number}.{row} | {entry['train_loss']:.4f} | {entry['loss']:.4f} | {entry.get('validity', float('nan')):.3f} |"
        for number, part in enumerate(parts(prior), 1)
        for row, entry in enumerate(part["history"]["epochs"], 1)
    )
    chapters = sorted({part["training"]["chapter"] for part in parts(prior)})
    return f"""## Learning curve

One row for about {" or ".join(f"{chapter:,}" for chapter in chapters)} molecules; losses in nat a token, validity of {prior.record["training"]["samples"]} samples. Each part has a held-out set of its own.

| part | training loss | held-out loss | validity |
|---|---|---|---|
{rows}
"""


def told(part: dict[str, Any], goes_on: bool) -> str:
    """One training in a sentence, with its command."""
    settings, history = part["training"], part["history"]
    loop = settings["loop"]
    changes = {"batch": settings["batch"]}
    if goes_on:
        changes |= {"first_chapter": settings["first_chapter"], "loop.learning_rate": loop["learning_rate"], "loop.average": loop["average"]}
    set_ = "".join(f" --set {key}={value:g}" for key, value in changes.items())
    average = f", weights averaged with decay {loop['average']:g}" if loop["average"] else ""
    return f"`train_prior.py --minutes {loop['minutes']:g}{set_}`: {part['corpus']['trained_on']:,} molecules, {history['steps']:,} steps, {history['seconds'] / 3600:.2f} h of wall-clock time, AdamW at {loop['learning_rate']:g}, {loop['schedule']}{average}."


if __name__ == "__main__":
    main()
