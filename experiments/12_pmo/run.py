"""The protocol of PMO on its 20 tasks that need no download: 10,000 calls a run, area under the curve of the ten best. One JSON file a (method, task, seed).

python experiments/12_pmo/run.py choose                                  # the methods of config.toml on the tasks named for choosing
python experiments/12_pmo/run.py run --method NAME [--seed 0] [--task …] # reported runs; what is there already is not run again
python experiments/12_pmo/run.py table                                   # results/table.md
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from cells import cell, code_hash  # noqa: E402
from published import PUBLISHED  # noqa: E402
from tables import choosing_table, pmo_table  # noqa: E402

from drugai.generation import GeneticConfig, ReinventConfig, load_generator, optimize  # noqa: E402
from drugai.metrics.generation import auc_top  # noqa: E402
from drugai.scoring import PMO_TASKS, objective  # noqa: E402

CONFIG = tomllib.loads((HERE / "config.toml").read_text())
RESULTS = HERE / "results"
CODE = code_hash(["generation", "scoring", "molecules", "models"])
# seconds for 10,000 molecules of the dear ones: two-dimensional pharmacophores and Bertz indices
DEAR = ("deco_hop", "scaffold_hop", "valsartan_smarts", "ranolazine_mpo", "osimertinib_mpo", "mestranol_similarity", "fexofenadine_mpo")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("choose", "run", "table"))
    parser.add_argument("--method", action="append", default=[], choices=list(CONFIG["methods"]))
    parser.add_argument("--task", action="append", default=[], choices=PMO_TASKS)
    parser.add_argument("--seed", action="append", type=int, default=[])
    arguments = parser.parse_args()
    if arguments.step == "choose":
        for method in arguments.method or CONFIG["methods"]:
            for task in arguments.task or CONFIG["choosing"]["tasks"]:
                for seed in CONFIG["choosing"]["seeds"]:
                    show(method, task, seed, cell(RESULTS / "choosing" / method, f"{task}_{seed}", lambda m=method, t=task, s=seed: run(m, t, s), code=CODE))
    elif arguments.step == "run":
        cheap_first = sorted(arguments.task or PMO_TASKS, key=lambda task: task in DEAR)
        for seed in arguments.seed or CONFIG["seeds"][:1]:
            for task in cheap_first:
                for method in arguments.method:
                    show(method, task, seed, cell(RESULTS / "runs" / method, f"{task}_{seed}", lambda m=method, t=task, s=seed: run(m, t, s), code=CODE))
    (RESULTS / "choosing.md").write_text(choosing_table(RESULTS / "choosing", CONFIG))
    (RESULTS / "table.md").write_text(pmo_table(RESULTS / "runs", CONFIG, PMO_TASKS, PUBLISHED))


def run(method: str, task: str, seed: int) -> dict[str, Any]:
    """One run: the molecules to start from are samples of the shipped prior, scored like all others."""
    entry = CONFIG["methods"][method]
    make = GeneticConfig() if entry["method"] == "genetic" else ReinventConfig(threads=1)
    config = make.replace(**flat(entry.get("config", {})))
    found = optimize(load_generator(entry.get("prior")), objective(task), budget=CONFIG["budget"], seed=seed, method=entry["method"], config=config, every=2000)
    totals = found.totals
    curve = [float(sorted(totals[:upto])[-10]) for upto in range(1000, len(totals) + 1, 1000)]
    best = found.top(10)
    return {
        "method": method,
        "task": task,
        "seed": seed,
        "auc_top10": auc_top(totals, top=CONFIG["top"], budget=CONFIG["budget"], every=CONFIG["every"]),
        "auc_top1": auc_top(totals, top=1, budget=CONFIG["budget"], every=CONFIG["every"]),
        "top10": sum(one.total for one in best) / len(best),
        "top1": best[0].total,
        "calls": len(totals),
        "tenth_best_each_1000": curve,
        "best": [one.smiles for one in best],
        "config": config.to_dict(),
    }


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted names."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found


def show(method: str, task: str, seed: int, found: dict[str, Any]) -> None:
    words = found.get("failed") or f"AUC top-10 {found['auc_top10']:.3f}, best {found['top1']:.3f}"
    print(f"{method} {task} {seed}: {words} ({found['cpu_seconds']:.0f} CPU-s)", flush=True)


if __name__ == "__main__":
    main()
