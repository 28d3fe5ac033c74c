"""The audit finds what is planted, and nothing in a clean set."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.contracts import Dataset, Split, Task
from drugai.data import audit, split

# ethanol two ways, an unclosed ring, L- and D-alanine, aspirin, caffeine, benzene
SMILES = ("CCO", "OCC", "c1ccccc", "C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "CC(=O)Oc1ccccc1C(=O)O", "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "c1ccccc1")


@pytest.fixture
def data() -> Dataset:
    y = np.array([[0.0], [1], [1], [0], [1], [1], [np.nan], [0]])
    return Dataset("planted", SMILES, y, (Task("toxic", "binary"),))


def test_duplicates_contradictions_unreadable_and_unlabelled_rows_are_found(data):
    report = audit(data)
    assert report.duplicates == ((0, 1),)
    assert report.repeated_rows == 1
    assert [(one.task, one.rows, one.values) for one in report.contradictions] == [("toxic", (0, 1), (0.0, 1.0))]
    assert report.unreadable[0][0] == 2
    assert report.unreadable[0][1].startswith("E_PARSE")
    assert report.unlabelled == 1
    assert not report.clean


def test_a_molecule_in_two_parts_and_its_mirror_image_are_leaks(data):
    report = audit(data, Split(np.array([0, 3, 5]), np.array([7]), np.array([1, 4]), "by hand"))
    leak = next(one for one in report.leaks if (one.part, one.other) == ("test", "train"))
    assert leak.identical == 1  # ethanol
    assert leak.near == 2  # and D-alanine beside L-alanine: a Morgan fingerprint without chirality is the same
    assert {(a, b) for a, b, value in leak.pairs if value == 1.0} == {(1, 0), (4, 3)}
    assert not report.clean


def test_own_splits_never_leak_an_identical_molecule(series):
    report = audit(series, split(series, "random", fractions=(0.6, 0.2, 0.2)))
    assert all(leak.identical == 0 for leak in report.leaks)
    assert report.clean


def test_small_differences_between_repeats_do_not_contradict():
    y = np.array([[1.0], [1.1], [5.0], [9.0]])
    data = Dataset("repeats", ("CCO", "OCC", "CCN", "CCC"), y, (Task("logS", "regression"),))
    assert audit(data).contradictions == ()  # 0.1 of a standard deviation of 3.3


def test_the_text_names_counts_and_examples(data):
    text = str(audit(data, Split(np.array([0, 3, 5]), np.array([7]), np.array([1, 4]), "by hand")))
    assert "planted: 8 rows" in text
    assert "unreadable: 1 (row 2 (E_PARSE" in text
    assert "toxic, rows 0, 1: 0, 1" in text
    assert "test against train: 1 identical, 2 of 2 (100.0 %)" in text
