"""How many children does the graph genetic algorithm breed in a CPU-second? Five rounds from 200 molecules of the shipped prior, drawing of parents, gate and canonical SMILES included.

python experiments/12_pmo/children.py      # results/children.json
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from random import Random

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import code_hash  # noqa: E402

from drugai.artifact import versions, write_text_atomically  # noqa: E402
from drugai.generation import GeneticConfig, load_generator  # noqa: E402
from drugai.generation.genetic import breed  # noqa: E402
from drugai.generation.molgraph import MolGraph  # noqa: E402
from drugai.molecules import MoleculeBatch  # noqa: E402

PARENTS, CHILDREN, ROUNDS = 200, 2000, 5


def main() -> None:
    written = [smi for smi in MoleculeBatch(load_generator().sample(2 * PARENTS, 0)).canonical if smi]
    parents = [graph for smi in written if (graph := MolGraph.read(smi)) is not None][:PARENTS]
    rates = []
    for seed in range(ROUNDS):
        began = time.process_time()
        made = breed(parents, [1.0] * len(parents), CHILDREN, Random(seed), GeneticConfig())
        rates.append(len(made) / (time.process_time() - began))
    found = {"parents": len(parents), "children_per_cpu_second": {"least": min(rates), "median": sorted(rates)[ROUNDS // 2], "most": max(rates)}, "load": os.getloadavg()[0]}
    write_text_atomically(HERE / "results" / "children.json", json.dumps({**found, "code": code_hash(["generation", "molecules"]), "versions": versions()}, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
