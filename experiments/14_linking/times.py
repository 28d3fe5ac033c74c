"""How long a question takes once a linker is loaded, and how long loading takes [CPU seconds].

    DRUGAI_DATA=... python experiments/14_linking/times.py [FOLDER]      # FOLDER of a linker; without one, one is fitted on the benchmark's tables

Writes results/times.json. CPU seconds of one process with one thread, not wall seconds: a busy machine does not change them much.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from run import CODE  # noqa: E402

from drugai.artifact import versions, write_text_atomically  # noqa: E402

LOAD = """
import time, sys
began = time.process_time()
from drugai.linking import load_linker
linker = load_linker(sys.argv[1] if len(sys.argv) > 1 else None)
print(time.process_time() - began)
"""
TEXTS = (
    "Inhibits the renal sodium-glucose co-transporter 2, increasing urinary glucose excretion",
    "Blocks histamine H1 receptors and relieves sneezing",
    "Kinase inhibitor of BCR-ABL in dividing white blood cells",
    "Agonist of the beta-2 adrenergic receptor that opens the bronchi",
    "Stops the synthesis of ergosterol in the membrane of fungi",
)
DISEASES = ("an autoimmune disease that attacks the joints", "crystals of uric acid in a joint", "too little iron in the blood", "a tumour of pigment cells of the skin")


def fitted(folder: Path) -> Path:
    """A linker on the benchmark's drugs and diseases: its numbers do not matter here, so the training is short and the texts are not masked."""
    from drugai.data.download import cache_folder
    from drugai.linking import LinkerConfig, fit_linker, read_benchmark, save_linker
    from drugai.models.text import TextEncoder

    config = LinkerConfig(masked=False, folds=2).replace(**{"towers.loop.epochs": 5})
    encoder = TextEncoder(cache=cache_folder() / "embeddings")
    return save_linker(fit_linker(read_benchmark().tables, config, encoder=encoder), folder / "linker")


def main() -> None:
    from drugai.linking import load_linker

    with tempfile.TemporaryDirectory() as place:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else fitted(Path(place))
        loads = [float(subprocess.run([sys.executable, "-c", LOAD, str(folder)], capture_output=True, text=True, check=True).stdout) for _ in range(3)]
        linker = load_linker(folder)
        linker.rank(TEXTS[0])
        linker.rank_drugs(DISEASES[0])  # what is computed once, when first needed, is part of neither
        found: dict[str, list[float]] = {"rank": [], "rank_drugs": [], "rank with words": [], "rank_drugs with words": []}
        for text in TEXTS[1:]:
            for name, words in (("rank", False), ("rank with words", True)):
                began = time.process_time()
                linker.rank(text, words=words)
                found[name].append(time.process_time() - began)
        for text in DISEASES[1:]:
            for name, words in (("rank_drugs", False), ("rank_drugs with words", True)):
                began = time.process_time()
                linker.rank_drugs(text, words=words)
                found[name].append(time.process_time() - began)
    out = {
        "command": "python experiments/14_linking/times.py",
        "unit": "CPU seconds, one thread",
        "drugs": len(linker.tables.drugs),
        "diseases": len(linker.tables.diseases),
        "load": {"median": float(np.median(loads)), "all": loads},
        **{name: {"median": float(np.median(values)), "worst": max(values), "n": len(values)} for name, values in found.items()},
        "code": CODE,
        "versions": versions(),
    }
    print(json.dumps(out, indent=1))
    write_text_atomically(HERE / "results" / "times.json", json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
