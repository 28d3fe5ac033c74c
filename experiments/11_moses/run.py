"""The MOSES table of a prior beside the published ones: 30,000 raw samples at temperature 1.

python experiments/11_moses/run.py --cache runs/moses_reference [--prior FOLDER] [--seed 0]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import code_hash  # noqa: E402
from moses_data import filters, molecules, references  # noqa: E402

from drugai.artifact import versions  # noqa: E402
from drugai.generation import evaluate_samples, load_generator  # noqa: E402
from drugai.generation.fitting import thread_count  # noqa: E402

CODE = code_hash(["generation", "metrics", "models", "molecules"])
COLUMNS = (
    "valid", "unique@1000", "unique@10000", "FCD/Test", "FCD/TestSF", "SNN/Test", "SNN/TestSF", "Frag/Test", "Frag/TestSF", "Scaf/Test", "Scaf/TestSF",
    "IntDiv", "IntDiv2", "Filters", "Novelty",
)  # fmt: skip
PUBLISHED = {  # README of the benchmark's repository: 30,000 samples, mean of three seeds; MolGPT from its paper
    "training molecules": (1, 1, 1, 0.008, 0.4755, 0.6419, 0.5859, 1, 0.9986, 0.9907, 0, 0.8567, 0.8508, 1, None),
    "CharRNN": (0.9748, 1, 0.9994, 0.0732, 0.5204, 0.6015, 0.5649, 0.9998, 0.9983, 0.9242, 0.1101, 0.8562, 0.8503, 0.9943, 0.8419),
    "VAE": (0.9767, 1, 0.9984, 0.0990, 0.5670, 0.6257, 0.5783, 0.9994, 0.9984, 0.9386, 0.0588, 0.8558, 0.8498, 0.9970, 0.6949),
    "JTN-VAE": (1, 1, 0.9996, 0.3954, 0.9382, 0.5477, 0.5194, 0.9965, 0.9947, 0.8964, 0.1009, 0.8551, 0.8493, 0.9760, 0.9143),
    "MolGPT": (0.994, None, 1, 0.067, None, None, None, None, None, None, None, 0.857, 0.851, None, 0.797),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder of the computed reference")
    parser.add_argument("--prior", type=Path, default=None, help="folder of a prior (default: the shipped one)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-n", type=int, default=30_000)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "prior.json")
    arguments = parser.parse_args()
    prior = load_generator(arguments.prior)
    began = time.process_time()
    with thread_count(1):
        samples = prior.sample(arguments.n, arguments.seed, temperature=arguments.temperature)
    sampled = time.process_time()
    reference, patterns, known = references(arguments.cache), filters(), set(molecules("train"))
    loaded = time.process_time()
    values = evaluate_samples(samples, reference, known=known, patterns=patterns, threads=1)
    values.update(
        seed=arguments.seed,
        temperature=arguments.temperature,
        samples_per_cpu_second=round(arguments.n / (sampled - began)),
        cpu_seconds_of_metrics=round(time.process_time() - loaded, 1),
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps({**values, "code": CODE, "versions": versions()}, indent=1) + "\n", encoding="utf-8")
    print(table({f"drugai (n={arguments.n}, T={arguments.temperature})": [values.get(name) for name in COLUMNS], **PUBLISHED}))


def table(rows: dict[str, object]) -> str:
    """A Markdown table with the model in the first column."""
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join("–" if value is None else f"{value:.4g}" for value in row) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
