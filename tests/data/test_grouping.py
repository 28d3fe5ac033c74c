"""Rows that belong together are found, and merged where two groups share a molecule."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.contracts import Dataset, Task
from drugai.data import grouping
from drugai.data.grouping import by_cluster, by_molecule, by_scaffold, merge_duplicates, usable_rows
from drugai.errors import DatasetError


def plain(groups: list[np.ndarray]) -> list[list[int]]:
    return [group.tolist() for group in groups]


def dataset(*smiles: str) -> Dataset:
    return Dataset("d", smiles, np.arange(len(smiles), dtype=np.float32)[:, None], (Task("y", "regression"),))


def test_one_molecule_written_two_ways_is_one_group():
    data = dataset("Oc1ccccc1", "CCO", "c1ccccc1O")  # phenol, ethanol, phenol
    assert plain(by_molecule(data, usable_rows(data))) == [[0, 2], [1]]


def test_acyclic_molecules_are_one_scaffold_group():
    data = dataset("CCO", "Cc1ccccc1", "CCCC", "Clc1ccccc1")
    assert plain(by_scaffold(data, usable_rows(data))) == [[0, 2], [1, 3]]


def test_chains_of_shared_molecules_are_followed():
    data = dataset("CCO", "CCN", "OCC", "CCC", "NCC", "CCCC")  # 0 = 2 and 1 = 4
    groups = [np.array([0]), np.array([1, 2]), np.array([3]), np.array([4, 5])]
    assert plain(merge_duplicates(data, groups)) == [[0, 1, 2, 4, 5], [3]]


def test_a_cluster_holds_the_alike():
    # 4- and 3-alkylated phenols of one chain length beside caffeine and its 8-chloro twin
    data = dataset("CCCCCCCCc1ccc(O)cc1", "CCCCCCCCCc1ccc(O)cc1", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "CCCCCCCCCCc1ccc(O)cc1")
    assert plain(by_cluster(data, usable_rows(data), 0.4)) == [[0, 1, 3], [2]]


def test_too_many_molecules_for_all_pairs_are_refused(series, monkeypatch):
    monkeypatch.setattr(grouping, "BUTINA_LIMIT", 10)
    with pytest.raises(DatasetError, match="compares all pairs"):
        by_cluster(series, usable_rows(series), 0.4)
