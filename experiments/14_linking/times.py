"""How long a question takes once a linker is loaded, and how long loading takes [CPU seconds].

    DRUGAI_DATA=... python experiments/14_linking/times.py [FOLDER]      # of a linker on the full tables (`drugai link prepare`, `drugai link train`)

Writes results/times.json: a linker that is fitted here on the benchmark's tables, and the one in FOLDER. CPU seconds of one process with one thread, not wall seconds: a busy machine does not change them much.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from cells import code_hash  # noqa: E402

from drugai.artifact import versions, write_text_atomically  # noqa: E402

ALL_CODE = code_hash(["linking", "models/text"])
"""Of the whole room: here the pages and queries decide the numbers too."""
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
LOAD = """
import time, sys
began = time.process_time()
from drugai.linking import load_linker
linker = load_linker(sys.argv[1])
print(time.process_time() - began)
linker.rank(sys.argv[2])
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


def measure(folder: Path) -> dict[str, Any]:
    """Loading, the first answer of a fresh process, and queries of a process that has answered before."""
    from drugai.linking import load_linker

    told = [subprocess.run([sys.executable, "-c", LOAD, str(folder), TEXTS[0]], capture_output=True, text=True, check=True).stdout.split() for _ in range(3)]
    linker = load_linker(folder)
    linker.rank(TEXTS[0])
    linker.rank_drugs(DISEASES[0])  # what is computed once, when first needed, is part of the first answer alone
    found: dict[str, list[float]] = {}
    for words, told_as in ((False, ""), (True, " with words")):
        for text in TEXTS[1:]:
            _timed(found, f"rank{told_as}", lambda text=text, words=words: linker.rank(text, words=words))
        for text in DISEASES[1:]:
            _timed(found, f"rank_drugs{told_as}", lambda text=text, words=words: linker.rank_drugs(text, words=words))
    for text in TEXTS[1:]:
        _timed(found, "rank with a structure", lambda text=text: linker.rank(text, smiles=ASPIRIN))
    for text in DISEASES[1:]:
        _timed(found, "normalize", lambda text=text: linker.normalize(text))
    return {
        "drugs": len(linker.tables.drugs),
        "diseases": len(linker.tables.diseases),
        "load": _summary([float(one) for one, _ in told]),
        "load and first answer": _summary([float(one) for _, one in told]),
        **{name: _summary(values) for name, values in found.items()},
    }


def _timed(found: dict[str, list[float]], name: str, ask: Callable[[], object]) -> None:
    began = time.process_time()
    ask()
    found.setdefault(name, []).append(time.process_time() - began)


def _summary(values: list[float]) -> dict[str, float]:
    return {"median": float(np.median(values)), "worst": max(values), "n": len(values)}


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        linkers = {"benchmark": measure(fitted(Path(place)))}
    if len(sys.argv) > 1:
        linkers["full tables"] = measure(Path(sys.argv[1]))
    out = {"command": "python experiments/14_linking/times.py [FOLDER]", "unit": "CPU seconds, one thread", "linkers": linkers, "code": ALL_CODE, "versions": versions()}
    print(json.dumps(out, indent=1))
    write_text_atomically(HERE / "results" / "times.json", json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
