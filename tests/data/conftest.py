"""Small files and data sets of real molecules that the tests of this room share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from drugai.contracts import Dataset, Task

SERIES = [
    "c1ccccc1", "Cc1ccccc1", "CCc1ccccc1", "Oc1ccccc1", "Nc1ccccc1", "Clc1ccccc1", "Brc1ccccc1", "COc1ccccc1",  # benzene, toluene, … anisole
    "c1ccncc1", "Cc1ccncc1", "Cc1ccccn1", "Nc1ccncc1",  # pyridines
    "C1CCCCC1", "CC1CCCCC1", "OC1CCCCC1",  # cyclohexanes
    "c1ccoc1", "Cc1ccco1", "c1ccsc1", "c1cc[nH]c1",  # furans, thiophene, pyrrole
    "CCO", "CCCO", "CC(C)O", "CCN", "CC(=O)O", "CCOCC", "CCCCCC",  # acyclic
]  # fmt: skip
"""26 molecules, 7 scaffolds (acyclic counted as one)."""


@pytest.fixture
def series() -> Dataset:
    y = np.arange(len(SERIES), dtype=np.float32)[:, None]
    return Dataset("series", tuple(SERIES), y, (Task("value", "regression"),))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str, *lines: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return make
