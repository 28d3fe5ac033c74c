"""Descriptors are RDKit's numbers at less cost."""

import time

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors

from drugai.errors import ConfigError
from drugai.molecules.descriptors import BLOCKS, DESCRIPTOR_NAMES, FULL_DESCRIPTOR_NAMES, descriptors

# aspirin, imatinib, penicillin G, cholesterol, sodium acetate, iron(II), strychnine, ethane-d6, methane, sulfamethoxazole, betaine, a radical, a dummy atom, dimethyl selenide
MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
    "CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O",
    "C[C@H](CCCC(C)C)[C@H]1CC[C@@H]2[C@@]1(CC[C@H]3[C@H]2CC=C4[C@@]3(CC[C@@H](C4)O)C)C",
    "CC(=O)[O-].[Na+]",
    "[Fe+2]",
    "O=C1C[C@@H]2OCC=C3CN4CC[C@]56[C@@H]4C[C@H]3[C@H]2[C@H]6N1c1ccccc51",
    "[2H]C([2H])([2H])C([2H])([2H])[2H]",
    "C",
    "Cc1cc(NS(=O)(=O)c2ccc(N)cc2)no1",
    "C[N+](C)(C)CC(=O)[O-]",
    "CC(C)(C)c1cc(C)cc(C(C)(C)C)c1[O]",
    "*c1ccccc1",
    "C[Se]C",
    "Clc1cc(Cl)c(Oc2ccc(Br)cc2I)cc1P(=O)(O)O",
    # rings of three with tails and fused, rings of four, cubane, hydrogens as atoms, a hydrogen molecule, and electrons that are fewer than hydrogens
    "CC1OC1C",
    "C12CC1C2",
    "C1CC1C1CC1(C)C1CCC1",
    "C12C3C4C1C5C2C3C45",
    "[2H]OC(Cl)[3H]",
    "[HH]",
    "[H+].[Cl-]",
    "[BH4-].[Na+]",
    # hydrogens of every kind: water, hydroxide, peroxide, enol, oxime, thioacid, protonated acid, silanol, hypochlorite, N-hydroxypyrrole, furanium, thiol
    "O",
    "[OH-]",
    "OO",
    "OC=C",
    "ON=C",
    "OC(=S)C",
    "CC(O)=[OH+]",
    "O[Si](C)(C)C",
    "OCl",
    "On1cccc1",
    "[oH+]1cccc1",
    "CS",
    "OC#N",
    "OC=[Se]",
]


@pytest.mark.parametrize("smi", MOLECULES)
def test_every_descriptor_equals_rdkits(smi):
    values = descriptors([smi], "full")[0]
    functions = dict(Descriptors._descList)
    mol = Chem.MolFromSmiles(smi)
    for name, value in zip(FULL_DESCRIPTOR_NAMES, values, strict=True):
        try:
            expected = np.float32(functions[name](mol))
        except (ValueError, ZeroDivisionError, RuntimeError):
            expected = np.float32(np.nan)
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-4, err_msg=name)


def test_the_sets_are_what_they_say():
    known = {name for name, _ in Descriptors._descList}
    assert known - set(FULL_DESCRIPTOR_NAMES) == {"Ipc", "AvgIpc"}
    assert set(DESCRIPTOR_NAMES) < set(FULL_DESCRIPTOR_NAMES)
    assert len(DESCRIPTOR_NAMES) >= 200
    names = [name for block in BLOCKS for name in block.names]
    assert len(names) == len(set(names))


def test_columns_come_in_the_order_asked_for():
    some = ["TPSA", "MolWt", "fr_benzene", "BalabanJ"]
    everything = dict(zip(FULL_DESCRIPTOR_NAMES, descriptors(["c1ccccc1O"], "full")[0], strict=True))
    np.testing.assert_array_equal(descriptors(["c1ccccc1O"], some)[0], [everything[name] for name in some])


def test_an_unreadable_molecule_is_a_row_of_nan():
    values = descriptors(["CCO", "bad", "c1ccccc1"])
    assert values.shape == (3, len(DESCRIPTOR_NAMES))
    assert values.dtype == np.float32
    assert np.isnan(values[1]).all()
    assert np.isfinite(values[[0, 2]]).all()


def test_a_value_that_is_not_defined_is_nan_and_not_infinite():
    values = descriptors(["C[Se]C"], "full")[0]  # dimethyl selenide
    assert not np.isinf(values).any()
    assert np.isnan(values[FULL_DESCRIPTOR_NAMES.index("MaxPartialCharge")])  # no Gasteiger parameters for selenium


def test_descriptors_do_not_depend_on_the_order_of_writing():
    mol = Chem.MolFromSmiles(MOLECULES[2])
    values = descriptors([Chem.MolToSmiles(mol, doRandom=True) for _ in range(5)], "full")
    np.testing.assert_allclose(values, np.broadcast_to(values[0], values.shape), rtol=1e-4, atol=1e-4)


def test_t22_descriptors_of_a_300_atom_chain_take_less_than_a_second():
    descriptors(["C"], "full")  # catalogues are built once a process
    began = time.process_time()
    descriptors(["C" * 300], "full")
    assert time.process_time() - began < 1


def test_an_unknown_descriptor_and_those_left_out_are_refused():
    with pytest.raises(ConfigError, match="MolWt"):
        descriptors(["C"], ["MolWeight", "MolWt"])
    with pytest.raises(ConfigError, match="Ipc"):
        descriptors(["C"], ["Ipc"])
