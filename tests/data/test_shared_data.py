"""Every card is true: its files, read in full, have the rows and tasks that it states. Needs the files in the folder named by DRUGAI_DATA."""

from __future__ import annotations

import os
import re

import numpy as np
import pytest

from drugai.data import audit, cards, locate, read_dataset, split
from drugai.molecules.batch import MoleculeBatch

pytestmark = [pytest.mark.data, pytest.mark.skipif(not os.environ.get("DRUGAI_DATA"), reason="DRUGAI_DATA names no folder")]

LARGE = {"moses", "toxcast", "muv", "hiv", "qm9_smiles", "vs_dud", "vs_chembl", "zinc_qed", "drd2", "factor_xa", "chembl_reinvent"}
NAMES = [pytest.param(name, marks=[pytest.mark.slow] if name in LARGE else []) for name, one in cards().items() if one.smiles]


@pytest.mark.parametrize("name", NAMES)
def test_a_card_is_read_with_the_rows_and_tasks_that_it_states(name):
    one = cards()[name]
    if locate(name) is None:
        pytest.skip(f"the files of {name} are not here")
    data = read_dataset(name)
    assert len(data) == one.rows
    assert len(data.tasks) == one.task_count
    # a SMILES column that holds something else would not survive this
    sample = np.linspace(0, len(data) - 1, 60).astype(int)
    assert MoleculeBatch([data.smiles[row] for row in sample]).valid.mean() > 0.9
    for column, task in enumerate(data.tasks):
        values = data.y[:, column]
        values = values[~np.isnan(values)]
        assert values.size > 0, task.name
        if task.kind == "binary":
            assert set(np.unique(values)) <= {0.0, 1.0}
        else:
            assert np.ptp(values) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, one in cards().items() if one.smiles and name not in LARGE])
def test_the_problems_that_a_card_counts_are_those_that_the_audit_finds(name):
    if locate(name) is None:
        pytest.skip(f"the files of {name} are not here")
    report, text = audit(read_dataset(name)), "\n".join(cards()[name].problems)
    for words, count in (
        ("rows repeat the molecule", report.repeated_rows),
        ("rows have a SMILES that drugai does not read", len(report.unreadable)),
        ("molecules carry contradictory", len({one.rows for one in report.contradictions})),
    ):
        stated = re.search(rf"([\d,]+) {words}", text)
        assert (int(stated[1].replace(",", "")) if stated else 0) == count, words


@pytest.mark.parametrize(("name", "sizes"), [("tdc_dili", (475, 96)), ("moleculeace_chembl2835_ki", (615, 126))])
def test_the_given_test_part_is_kept(name, sizes):
    # TDC: 96 of 475 molecules; MoleculeACE's index: 126 test compounds of JAK1
    data = read_dataset(name)
    found = split(data, "given", seed=0)
    assert len(data) == sizes[0]
    assert len(found.test) == sizes[1]
    assert abs(len(found.valid) / (len(found.train) + len(found.valid)) - 1 / 9) < 0.02
    assert all(leak.identical == 0 for leak in audit(data, found).leaks)


def test_units_are_those_of_the_values():
    # glucose is soluble and DDT is not: logS above 0 and near -8 in Delaney's table
    data = read_dataset("esol")
    value = dict(zip(data.ids, data.y[:, 0], strict=True))
    assert value["DDT"] < -7
    # 0.003 nM = pIC50 11.52, the first row of the EGFR table
    assert read_dataset("egfr").y[0, 0] == pytest.approx(11.5229, abs=1e-3)
    # 1,430 nM, the first row of the hERG export: 9 - log10(1430) = 5.845
    assert read_dataset("chembl_herg").y[0, 0] == pytest.approx(5.8447, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["esol", "freesolv", "lipophilicity", "bbbp", "bace", "clintox", "tox21"])
@pytest.mark.parametrize("method", ["random", "scaffold", "scaffold_balanced", "butina"])
def test_every_method_meets_the_shares_on_the_benchmarks(name, method):
    data = read_dataset(name)
    found = split(data, method, seed=0)
    placed = len(found.train) + len(found.valid) + len(found.test)
    for part, share in ((found.train, 0.8), (found.valid, 0.1), (found.test, 0.1)):
        assert abs(len(part) / placed - share) <= 0.02


@pytest.mark.slow
@pytest.mark.parametrize("name", ["esol", "freesolv", "lipophilicity", "bbbp", "bace"])
def test_scaffold_split_equals_that_of_deepchem_on_the_benchmarks(name):
    """To the row, where no duplicate is brought together (a molecule and its duplicate share a scaffold, so none is)."""
    deepchem = pytest.importorskip("deepchem")
    data = read_dataset(name)
    readable = np.flatnonzero(MoleculeBatch(data.smiles).valid)
    kept = data.take(readable)
    x = np.zeros((len(kept), 1))
    theirs = deepchem.splits.ScaffoldSplitter().split(deepchem.data.NumpyDataset(X=x, y=kept.y, ids=np.array(kept.smiles, dtype=object)), 0.8, 0.1, 0.1)
    ours = split(data, "scaffold")
    for mine, other in zip((ours.train, ours.valid, ours.test), theirs, strict=True):
        assert mine.tolist() == sorted(readable[np.asarray(other, dtype=int)].tolist())
