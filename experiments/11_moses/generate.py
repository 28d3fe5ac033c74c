"""What a user gets straight after the install: `drugai generate -n 10000` with the shipped prior, as a whole process.

python experiments/11_moses/generate.py        # results/generate.json; best on a machine that does nothing else

Raw samples are judged: nothing is drawn again in place of an unreadable one. The rate counts the whole process, start and imports included.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import torch  # noqa: E402
from cells import code_hash  # noqa: E402
from moses_data import molecules  # noqa: E402

from drugai.artifact import versions, write_text_atomically  # noqa: E402
from drugai.generation.prior import half_is_fast  # noqa: E402
from drugai.metrics.generation import novelty, uniqueness, validity  # noqa: E402
from drugai.molecules import MoleculeBatch  # noqa: E402

N = 10_000
CODE = code_hash(["generation", "models", "molecules"])


def generate(seed: int, out: Path) -> tuple[list[str], float]:
    """The samples of a run of the command and its CPU-seconds (user and system, the whole process)."""
    command = [str(Path(sys.executable).parent / "drugai"), "generate", "-n", str(N), "--seed", str(seed), "--out", str(out)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [line.split()[0] if line.split() else "" for line in out.read_text().splitlines()], seconds


def judge(samples: list[str], known: set[str]) -> dict[str, Any]:
    """Validity of the raw samples; uniqueness and novelty of the valid ones."""
    batch = MoleculeBatch(samples)
    canonical = [smi for smi, fine in zip(batch.canonical, batch.valid, strict=True) if fine]
    return {"samples": len(samples), "valid": validity(batch.valid), "unique": uniqueness(canonical), "novel": novelty(canonical, known)}


def main() -> None:
    known = set(molecules("train"))
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate((0, 0, 1)):
            out = Path(folder) / f"{number}.smi"
            samples, seconds = generate(seed, out)
            checksum = hashlib.sha256(out.read_bytes()).hexdigest()
            runs.append({"seed": seed, **judge(samples, known), "cpu_seconds": round(seconds, 2), "molecules_per_cpu_second": round(N / seconds), "sha256": checksum})
            print(runs[-1], flush=True)
    found = {
        "command": f"drugai generate -n {N} --seed SEED --out FILE",
        "same_bytes_for_the_same_seed": runs[0]["sha256"] == runs[1]["sha256"],
        "other_molecules_for_another_seed": runs[0]["sha256"] != runs[2]["sha256"],
        "runs": runs,
        "bf16": half_is_fast(torch.device("cpu")),  # without it a machine samples several times slower
        "code": CODE,
        "versions": versions(),
    }
    write_text_atomically(HERE / "results" / "generate.json", json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
