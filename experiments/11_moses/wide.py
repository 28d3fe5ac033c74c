"""What does the prior with the wide vocabulary write, and what can it spell, beside the MOSES prior?

python experiments/11_moses/wide.py [--prior FOLDER] [--seed 0]

Both priors write raw samples at temperature 1 and seed 0. The Fréchet distance is to ChEMBL molecules, which the wide prior was trained on; that of other training molecules is the floor at this number.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from cells import code_hash  # noqa: E402
from train_prior import SOURCES, molecules_of  # noqa: E402

import drugai  # noqa: E402
from drugai.artifact import versions, write_text_atomically  # noqa: E402
from drugai.generation import load_generator  # noqa: E402
from drugai.generation.fitting import thread_count  # noqa: E402
from drugai.generation.prior import Prior  # noqa: E402
from drugai.metrics import generation as metrics  # noqa: E402
from drugai.models.chemnet import chemnet  # noqa: E402
from drugai.molecules import MoleculeBatch  # noqa: E402
from drugai.runtime import generator  # noqa: E402

CODE = code_hash(["generation", "metrics", "models", "molecules"])
KINDS = {"charge": re.compile(r"[+-][0-9]*\]"), "stereo centre": re.compile("@"), "double-bond stereo": re.compile(r"[/\\]"), "P, I, B, Si or Se": re.compile(r"P|I|B(?!r)|Si|Se")}
"""What MOSES does not have, as text of canonical SMILES."""
MEASURED = ("tdc_vdss_lombardo", "tdc_clearance_hepatocyte_az", "tdc_lipophilicity_astrazeneca", "tdc_herg", "moleculeace_chembl233_ki", "moleculeace_chembl234_ki")
"""Drugs, compounds of a company's chemists, ligands of the mu opioid and the dopamine D3 receptor."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prior", type=Path, default=None, help="folder of the wide prior (default: the shipped one)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-n", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "wide.json")
    arguments = parser.parse_args()
    priors = {"wide": load_generator(arguments.prior or "prior_wide"), "moses": load_generator("prior_moses")}
    corpus = {name: molecules_of(name) for name in SOURCES if name != "moses"}
    known = set().union(*corpus.values())
    order = generator(arguments.seed, "reference").permutation(len(corpus["chembl"]))
    chembl = [corpus["chembl"][row] for row in order[: 2 * arguments.n]]
    with thread_count(1):
        moments = metrics.moments(chemnet().activations(chembl[: arguments.n]))
        floor = metrics.frechet_distance(*metrics.moments(chemnet().activations(chembl[arguments.n :])), *moments)
        rows = {name: written(prior, arguments.n, arguments.seed, known, moments) for name, prior in priors.items()}
    rows["ChEMBL molecules"] = {"shares": shares(chembl[: arguments.n]), "FCD to ChEMBL": floor}
    found = {"n": arguments.n, "seed": arguments.seed, "samples": rows, "spelled": spelled(priors), "code": CODE, "versions": versions()}
    write_text_atomically(arguments.out, json.dumps(found, indent=1) + "\n")
    print(json.dumps({key: found[key] for key in ("samples", "spelled")}, indent=1))


def written(prior: Prior, n: int, seed: int, known: set[str], moments: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
    """What the raw samples of a prior are like."""
    began = time.process_time()
    samples = prior.sample(n, seed)
    rate = round(n / (time.process_time() - began))
    batch = MoleculeBatch(samples)
    canonical = [smi for smi in batch.canonical if smi]
    return {
        "valid": metrics.validity(batch.valid), "unique": metrics.uniqueness(canonical), "novel": metrics.novelty(canonical, known), "shares": shares(canonical),
        "FCD to ChEMBL": metrics.frechet_distance(*metrics.moments(chemnet().activations(canonical)), *moments), "samples_per_cpu_second": rate,
    }  # fmt: skip


def shares(smiles: list[str]) -> dict[str, float]:
    """Share of the molecules that have what MOSES lacks."""
    return {name: round(sum(bool(text.search(smi)) for smi in smiles) / len(smiles), 4) for name, text in KINDS.items()}


def spelled(priors: dict[str, Prior]) -> dict[str, dict[str, float]]:
    """Of measured molecules, which no prior was trained on by name: the share that each vocabulary spells, and the nats a token of those that all spell."""
    smiles = [smi for name in MEASURED for smi in drugai.read_dataset(name, targets=[]).smiles]
    sample = list(dict.fromkeys(smi for smi in MoleculeBatch(smiles).canonical if smi))
    able = {name: [smi for smi, why in zip(sample, prior.vocabulary.encode_many(sample).reasons, strict=True) if not why] for name, prior in priors.items()}
    both = sorted(set.intersection(*(set(smiles) for smiles in able.values())))
    told = both[:: max(1, len(both) // 2000)]
    found = {}
    for name, prior in priors.items():
        tokens = prior.vocabulary.encode_many(told).lengths.sum()
        found[name] = {"molecules": len(sample), "share": len(able[name]) / len(sample), "nats_a_token_of_what_both_spell": float(-prior.log_likelihood(told).sum() / tokens)}
    return found


if __name__ == "__main__":
    main()
