"""Are the metrics right, and how fast are they? Training molecules of MOSES against its published reference.

python experiments/11_moses/check_metrics.py --cache runs/moses_reference
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from pathlib import Path

import numpy as np
from drugai.generation import evaluate_samples
from drugai.generation.fitting import thread_count
from drugai.metrics.generation import frechet_distance, moments
from drugai.models.chemnet import chemnet
from drugai.runtime import configure_logging, generator
from moses_data import filters, molecules, references

logger = logging.getLogger("drugai.experiments.moses")
PUBLISHED = {"FCD@1000": 1.2715, "FCD@5000": 0.2631, "FCD@10000": 0.1337, "IntDiv": 0.857, "Filters": 1.0, "Frag@5000": 0.9995}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder of the computed reference")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "metrics.json")
    arguments = parser.parse_args()
    configure_logging(json_lines=False)
    reference = references(arguments.cache)
    train, patterns = molecules("train"), filters()
    known = set(train)
    result: dict[str, object] = {"published": PUBLISHED}
    for n in (1000, 5000, 10_000):
        rows = generator(0, "check", n).permutation(len(train))[:n]
        with thread_count(1):
            mu, sigma = moments(chemnet().activations([train[row] for row in rows]))
        result[f"FCD@{n}"] = frechet_distance(mu, sigma, reference["Test"].mu, reference["Test"].sigma)
        logger.info("FCD of %d training molecules: %.4f", n, result[f"FCD@{n}"])
    for n in (5000, 30_000):
        sample = [train[row] for row in np.asarray(generator(1, "check", n).permutation(len(train))[:n])]
        began = time.process_time()
        values = evaluate_samples(sample, reference, known=known, patterns=patterns, threads=1)
        result[f"all@{n}"] = {**values, "cpu_seconds": round(time.process_time() - began, 1)}
        logger.info("all metrics of %d molecules: %s", n, result[f"all@{n}"])
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
