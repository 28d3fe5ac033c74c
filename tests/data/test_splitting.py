"""Laws of every split, and what each method promises."""

from __future__ import annotations

import numpy as np
import pytest

from drugai import catalogue
from drugai.contracts import Dataset, Split, Task
from drugai.data import read_dataset, split
from drugai.data.splitting import SPLIT_METHODS
from drugai.errors import ConfigError, DatasetError
from drugai.molecules.batch import MoleculeBatch
from drugai.molecules.scaffolds import murcko_scaffolds

PLAIN = ("random", "scaffold", "scaffold_balanced", "butina")


@pytest.fixture(scope="module")
def act() -> Dataset:
    """The 1,017 compounds of CHEMBL2321810 with a year and a series made of their order."""
    data = read_dataset("chembl2321810")
    columns = {"year": 2000.0 + np.arange(len(data)) // 100, "series": np.array([f"S{row % 40}" for row in range(len(data))], dtype=object)}
    return Dataset(data.name, data.smiles, data.y, data.tasks, data.ids, columns)


def parts_of(found: Split) -> list[np.ndarray]:
    return [found.train, found.valid, found.test]


@pytest.mark.parametrize("method", PLAIN)
def test_eighty_ten_ten_is_met_within_two_percent(act, method):
    found = split(act, method)
    for part, share in zip(parts_of(found), (0.8, 0.1, 0.1), strict=True):
        assert abs(len(part) / len(act) - share) <= 0.02
    assert np.unique(np.concatenate(parts_of(found))).size == len(act)


@pytest.mark.parametrize("method", ["scaffold", "scaffold_balanced"])
def test_scaffold_split_keeps_each_scaffold_in_one_part(act, method):
    scaffolds = murcko_scaffolds(MoleculeBatch(act.smiles))
    seen = [{scaffolds[row] for row in part} for part in parts_of(split(act, method, seed=3))]
    assert not (seen[0] & seen[1])
    assert not (seen[0] & seen[2])
    assert not (seen[1] & seen[2])


@pytest.mark.parametrize("method", PLAIN)
def test_duplicates_and_their_contradictory_labels_lie_in_one_part(method):
    # each molecule three times, written two ways (phenol Oc1ccccc1 = c1ccccc1O), with contradictory labels
    base = ["Oc1ccccc1", "CCO", "CCN", "c1ccncc1", "C1CCCCC1", "c1ccoc1", "c1ccsc1", "C1CCNCC1", "C1CCOC1", "c1ccc2ccccc2c1"]
    smiles = [*base, *["c1ccccc1O" if smi == "Oc1ccccc1" else smi for smi in base], *base]
    y = np.array([[row % 2] for row in range(30)], dtype=np.float32)
    data = Dataset("twice", tuple(smiles), y, (Task("toxic", "binary"),))
    found = split(data, method, fractions=(0.6, 0.2, 0.2))
    for row in range(10):
        assert sum(bool(np.isin([row, row + 10, row + 20], part).any()) for part in parts_of(found)) == 1


@pytest.mark.parametrize("method", PLAIN)
def test_unreadable_and_unlabelled_rows_lie_in_no_part(series, method):
    smiles = (*series.smiles, "c1ccccc", "", "CCCCO")
    y = np.concatenate([series.y, [[1.0], [2.0], [np.nan]]])
    data = Dataset("series", smiles, y, series.tasks)
    placed = np.concatenate(parts_of(split(data, method, fractions=(0.6, 0.2, 0.2))))
    assert sorted(placed.tolist()) == list(range(len(series)))


@pytest.mark.parametrize("method", ["random", "scaffold_balanced"])
def test_the_seed_decides(act, method):
    first, again, other = split(act, method, seed=1), split(act, method, seed=1), split(act, method, seed=2)
    assert first.checksum == again.checksum != other.checksum


@pytest.mark.parametrize("method", ["scaffold", "butina"])
def test_deterministic_methods_ignore_the_seed(act, method):
    assert split(act, method, seed=1).checksum == split(act, method, seed=2).checksum


def test_scaffold_split_puts_the_rarest_scaffolds_in_test(act):
    scaffolds = murcko_scaffolds(MoleculeBatch(act.smiles))
    found = split(act, "scaffold")
    largest = max(scaffolds.count(scaffolds[row]) for row in found.test.tolist())
    assert largest <= min(scaffolds.count(scaffolds[row]) for row in found.train.tolist())


def test_among_scaffolds_of_one_size_the_later_one_goes_first():
    # three rings, each one molecule, and benzene four times: DeepChem's order is benzene, then the last row, …
    smiles = ("c1ccncc1", "c1ccoc1", "Cc1ccccc1", "Clc1ccccc1", "Oc1ccccc1", "Nc1ccccc1", "c1ccsc1")
    found = split(Dataset("rings", smiles, np.arange(7.0)[:, None], (Task("y", "regression"),)), "scaffold", fractions=(5 / 7, 1 / 7, 1 / 7))
    assert found.train.tolist() == [2, 3, 4, 5, 6]
    assert found.valid.tolist() == [1]
    assert found.test.tolist() == [0]


def test_time_split_learns_from_the_past(act):
    found = split(act, "time", column="year")
    year = act.columns["year"]
    assert year[found.train].max() <= year[found.valid].min()
    assert year[found.valid].max() <= year[found.test].min()


def test_a_molecule_measured_twice_stands_at_its_newest_date():
    smiles = ("CCO", "CCN", "CCC", "CCCC", "OCC")  # ethanol in 2001 and, written the other way, in 2020
    year = np.array([2001.0, 2002, 2003, 2004, 2020])
    data = Dataset("dated", smiles, np.arange(5.0)[:, None], (Task("y", "regression"),), (), {"year": year})
    assert split(data, "time", column="year", fractions=(0.4, 0.2, 0.4)).test.tolist() == [0, 4]


def test_group_split_keeps_each_group_in_one_part(act):
    found = split(act, "group", column="series")
    seen = [set(act.columns["series"][part]) for part in parts_of(found)]
    assert not (seen[0] & seen[1])
    assert not (seen[0] & seen[2])
    assert not (seen[1] & seen[2])


def test_two_groups_that_share_a_molecule_become_one():
    smiles = ("CCO", "CCN", "OCC", "CCC", "CCCC", "CCCCC")
    column = np.array(["a", "a", "b", "c", "d", "e"], dtype=object)  # ethanol is in a and in b
    data = Dataset("shared", smiles, np.arange(6.0)[:, None], (Task("y", "regression"),), (), {"lab": column})
    found = split(data, "group", column="lab", fractions=(0.5, 1 / 6, 2 / 6))
    assert found.train.tolist() == [0, 1, 2]


def test_a_library_without_tasks_can_be_split(series):
    data = Dataset("library", series.smiles, np.zeros((len(series), 0)), ())
    assert sum(len(part) for part in parts_of(split(data, "random"))) == len(series)


def test_wrong_arguments_are_refused_with_what_to_do(act):
    with pytest.raises(ConfigError, match="did you mean 'scaffold'"):
        split(act, "scafold")
    with pytest.raises(ConfigError, match="add to 1"):
        split(act, "random", fractions=(0.8, 0.1, 0.2))
    with pytest.raises(ConfigError, match="needs column="):
        split(act, "time")
    with pytest.raises(ConfigError, match="takes no column"):
        split(act, "random", column="year")
    with pytest.raises(DatasetError, match="no column 'yaer'.*did you mean 'year'"):
        split(act, "time", column="yaer")


def test_nothing_readable_is_nothing_to_split():
    data = Dataset("bad", ("c1ccccc", "xyz"), np.zeros((2, 1)), (Task("y", "regression"),))
    with pytest.raises(DatasetError, match="none of 2 rows"):
        split(data, "random")


def test_a_registered_split_is_found_by_its_name(series, monkeypatch):
    def thirds(data: Dataset, *, fractions: tuple[float, ...], seed: int, column: str | None) -> Split:
        rows = np.arange(len(data))
        return Split(rows[rows % 3 == 0], rows[rows % 3 == 1], rows[rows % 3 == 2], "thirds", seed)

    monkeypatch.setitem(catalogue._registered, "split", {"thirds": thirds})
    assert split(series, "thirds").method == "thirds"
    assert "thirds" not in SPLIT_METHODS


@pytest.mark.slow
def test_scaffold_split_equals_that_of_deepchem(act):
    """To the row, on all 1,017 compounds (DeepChem 2.8.0's ScaffoldSplitter, 80/10/10)."""
    deepchem = pytest.importorskip("deepchem")
    theirs = deepchem.splits.ScaffoldSplitter().split(
        deepchem.data.NumpyDataset(X=np.zeros((len(act), 1)), y=act.y, ids=np.array(act.smiles, dtype=object)), 0.8, 0.1, 0.1
    )
    ours = split(act, "scaffold")
    for mine, other in zip(parts_of(ours), theirs, strict=True):
        assert mine.tolist() == sorted(int(row) for row in other)
