"""Are the metrics right, and how fast are they? Training molecules of MOSES against its published reference.

python experiments/11_moses/check_metrics.py --cache runs/moses_reference
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cells import code_hash
from moses_data import filters, folder, molecules, references

from drugai.generation import evaluate_samples
from drugai.generation.fitting import thread_count
from drugai.metrics.generation import frechet_distance, moments
from drugai.models.chemnet import chemnet
from drugai.runtime import configure_logging, generator

logger = logging.getLogger("drugai.experiments.moses")
LARGEST = 30_000
PUBLISHED = {"FCD@1000": 1.2715, "FCD@5000": 0.2631, "FCD@10000": 0.1337, "IntDiv": 0.857, "Filters": 1.0, "Frag@5000": 0.9995}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder of the computed reference")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "metrics.json")
    arguments = parser.parse_args()
    configure_logging(json_lines=False)
    train, patterns = molecules("train"), filters()
    known = set(train)
    with np.load(folder() / "fcd_reference.npz", allow_pickle=False) as stored:
        published = stored["test_mu"], stored["test_sigma"]
    result: dict[str, object] = {"published": PUBLISHED, "code": code_hash(["generation", "metrics", "models", "molecules"])}
    rows = generator(0, "check").permutation(len(train))[:LARGEST]
    with thread_count(1):
        activations = chemnet().activations([train[row] for row in rows])
    for n in (1000, 5000, 10_000, LARGEST):
        # the distance of one sample scatters by a few per cent, so it is averaged over disjoint samples
        values = [frechet_distance(*moments(activations[begin : begin + n]), *published) for begin in range(0, LARGEST, n)]
        result[f"FCD@{n}"] = {"mean": float(np.mean(values)), "least": min(values), "most": max(values), "samples": len(values)}
        logger.info("FCD of %d training molecules: %s", n, result[f"FCD@{n}"])
    reference = references(arguments.cache)
    for n in (5000, 30_000):
        sample = [train[row] for row in np.asarray(generator(1, "check", n).permutation(len(train))[:n])]
        began = time.process_time()
        table = evaluate_samples(sample, reference, known=known, patterns=patterns, threads=1)
        result[f"all@{n}"] = {**table, "cpu_seconds": round(time.process_time() - began, 1)}
        logger.info("all metrics of %d molecules: %s", n, result[f"all@{n}"])
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
