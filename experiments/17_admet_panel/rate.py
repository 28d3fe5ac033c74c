"""Rates of the panel and of admet_ai on the same molecules, each in a fresh process of one thread, one after the other."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import drugai
from drugai.errors import ConfigError

N = {"drugai": 1000, "admet_ai": 300}
FEW = {"drugai": 100, "admet_ai": 50}
"""Molecules of the longer and the shorter run: their difference leaves the start out; a thousand molecules cost the longer run and the rest at the rate between."""
ROUNDS = 3
"""Each program is run so often, in turns, and the least of each counts: what other tenants of the machine take only adds."""
# admet_ai's own entry point, without progress bars; its defaults otherwise
_PEER = "import sys; from admet_ai.admet_predict import admet_predict; from pathlib import Path; admet_predict(data_path=Path(sys.argv[1]), save_path=Path(sys.argv[2]), smiles_column='smiles')"


def measure_rate(peer: str | None) -> dict[str, Any]:
    """CPU-seconds of both programs on library molecules, and the rate between a short and a long run, which leaves the start out.

    Args:
        peer: Python of an environment with admet_ai 2.0.1.
    """
    if peer is None:
        raise ConfigError("name the Python of an environment with admet_ai: --admet-ai PYTHON")
    library = drugai.read_dataset("zinc_10k", targets=[])
    found: dict[str, Any] = {"library": "zinc_10k, from its beginning"}
    with tempfile.TemporaryDirectory() as folder:
        runs: dict[str, dict[int, list[float]]] = {name: {FEW[name]: [], N[name]: []} for name in N}
        columns = {}
        for _ in range(ROUNDS):
            for name, by_size in runs.items():
                for n, taken in by_size.items():
                    table = Path(folder) / f"{n}.csv"
                    table.write_text("smiles\n" + "\n".join(library.smiles[:n]) + "\n")
                    out = Path(folder) / f"{name}_{n}.csv"
                    ours = [sys.executable, "-c", "from drugai.cli import main; main()", "admet", str(table), "--out", str(out)]
                    taken.append(_cpu_seconds([peer, "-c", _PEER, str(table), str(out)] if name == "admet_ai" else ours))
                    rows = sum(1 for _ in out.open()) - 1
                    if rows != n:
                        raise RuntimeError(f"{name} wrote {rows} rows for {n} molecules")
                    columns[name] = len(out.open().readline().split(","))
        for name, by_size in runs.items():
            seconds = {n: min(taken) for n, taken in by_size.items()}
            rate = (N[name] - FEW[name]) / (seconds[N[name]] - seconds[FEW[name]])
            found[name] = {
                "n": N[name], "seconds": seconds[N[name]], "n_few": FEW[name], "seconds_few": seconds[FEW[name]], "marginal": rate,
                "seconds_of_1000": seconds[N[name]] + (1000 - N[name]) / rate, "columns": columns[name], "runs": {str(n): taken for n, taken in by_size.items()}, "load": os.getloadavg()[0],
            }  # fmt: skip
    return found


def _cpu_seconds(command: list[str]) -> float:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:3])} …: {done.stderr[-2000:]}")
    return round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2)
