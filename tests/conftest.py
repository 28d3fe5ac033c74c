"""Small real data for every test: compounds with measured activity that rdkit carries."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.contracts import Dataset, Split, Task


@pytest.fixture(scope="session")
def activity() -> Dataset:
    """160 of the 1,017 compounds of CHEMBL2321810 with measured pActivity: every sixth, because the file is sorted by activity."""
    import drugai

    return drugai.read_dataset("chembl2321810").take(range(0, 960, 6))


@pytest.fixture(scope="session")
def parts(activity: Dataset) -> Split:
    rows = np.random.default_rng(0).permutation(len(activity))
    return Split(rows[:100], rows[100:125], rows[125:], "random")


@pytest.fixture(scope="session")
def mixed(activity: Dataset) -> Dataset:
    """Three tasks of three kinds with missing labels, made from the measured activity."""
    y = activity.y[:, 0]
    binary = (y > np.median(y)).astype(np.float32)
    classes = np.digitize(y, np.quantile(y, [1 / 3, 2 / 3])).astype(np.float32)
    values = np.stack([y, binary, classes], axis=1)
    values[np.random.default_rng(1).random(values.shape) < 0.2] = np.nan
    return Dataset("mixed", activity.smiles, values, (Task("p", "regression", "-log10 M"), Task("active", "binary"), Task("grade", "multiclass", n_classes=3)))
