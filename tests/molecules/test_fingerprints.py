"""Fingerprints equal RDKit's own, row by row."""

import numpy as np
import pytest
from rdkit import Chem, DataStructs, rdBase
from rdkit.Avalon import pyAvalonTools
from rdkit.Chem import AllChem, MACCSkeys, rdFingerprintGenerator

from drugai.errors import ConfigError
from drugai.molecules.batch import MoleculeBatch
from drugai.molecules.fingerprints import FINGERPRINT_KINDS, fingerprint, width_of

# imatinib, caffeine, penicillin G
SMILES = [
    "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O",
]


def unpacked(vector):
    values = np.zeros(vector.GetNumBits(), dtype=np.uint8)
    DataStructs.ConvertToNumpyArray(vector, values)
    return values


def test_morgan_bits_equal_rdkits_old_function():
    expected = [unpacked(AllChem.GetMorganFingerprintAsBitVect(Chem.MolFromSmiles(smi), 2, 1024)) for smi in SMILES]
    np.testing.assert_array_equal(fingerprint(SMILES, bits=1024), expected)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("maccs", lambda mol: unpacked(MACCSkeys.GenMACCSKeys(mol))),
        ("avalon", lambda mol: unpacked(pyAvalonTools.GetAvalonFP(mol, 2048))),
        ("rdkit", lambda mol: unpacked(Chem.RDKFingerprint(mol))),
        ("atom_pair", lambda mol: unpacked(rdFingerprintGenerator.GetAtomPairGenerator(fpSize=2048).GetFingerprint(mol))),
        ("torsion", lambda mol: unpacked(rdFingerprintGenerator.GetTopologicalTorsionGenerator(fpSize=2048).GetFingerprint(mol))),
    ],
)
def test_other_kinds_equal_rdkits(kind, expected):
    np.testing.assert_array_equal(fingerprint(SMILES, kind), [expected(Chem.MolFromSmiles(smi)) for smi in SMILES])


@pytest.mark.parametrize("kind", FINGERPRINT_KINDS)
def test_rows_types_and_unreadable_molecules(kind):
    fps = fingerprint([SMILES[0], "bad", SMILES[1]], kind)
    assert fps.shape == (3, width_of(kind))
    assert fps.dtype == (np.float32 if kind == "erg" else np.uint8)
    assert not fps[1].any()
    assert fps[0].any()
    np.testing.assert_array_equal(fps[[2, 0]], fingerprint([SMILES[1], SMILES[0]], kind))


@pytest.mark.parametrize("kind", [kind for kind in FINGERPRINT_KINDS if kind not in ("maccs", "erg")])
def test_counts_are_zero_where_bits_are(kind):
    counts, bits = fingerprint(SMILES, kind, counts=True), fingerprint(SMILES, kind)
    assert counts.dtype == np.uint16
    assert (counts > 1).any()
    if kind in ("morgan", "feature_morgan", "rdkit"):  # Avalon counts other things than it sets bits for; pairs and torsions spread a count over several bits
        np.testing.assert_array_equal(counts > 0, bits > 0)


def test_a_fingerprint_does_not_depend_on_the_order_of_writing():
    mol = Chem.MolFromSmiles(SMILES[2])
    written = [Chem.MolToSmiles(mol, doRandom=True) for _ in range(5)]
    for kind in FINGERPRINT_KINDS:
        fps = fingerprint(written, kind)
        assert (fps == fps[0]).all(), kind


def test_a_fingerprint_is_computed_once_and_cannot_be_written_to():
    batch = MoleculeBatch(SMILES)
    fps = fingerprint(batch)
    assert fingerprint(batch) is fps
    assert fingerprint(batch, bits=512) is not fps
    with pytest.raises(ValueError, match="read-only"):
        fps[0, 0] = 1


def test_unknown_kinds_and_impossible_options_are_refused():
    with pytest.raises(ConfigError, match="did you mean 'morgan'"):
        fingerprint(SMILES, "morgen")
    with pytest.raises(ConfigError, match="bits"):
        fingerprint(SMILES, bits=0)
    with pytest.raises(ConfigError, match="maccs"):
        fingerprint(SMILES, "maccs", counts=True)


def test_a_molecule_whose_fingerprint_fails_keeps_its_row_with_a_reason():
    # RDKit reads these aromatic dummy atoms; Avalon finds no places for the double bonds
    odd = "CN1*(=O)c2*c*3c4c*c5*6c(*:*c(c7ccc(c2c37)C1=O)c64)C(=O)N(C)C5=O"
    batch = MoleculeBatch(["CCO", odd, "c1ccccc1"])
    assert batch.reasons == ("", "", "")
    with rdBase.BlockLogs():
        found = fingerprint(batch, "avalon", counts=True)
    assert batch.reasons[1].startswith("E_FEATURIZE: the avalon fingerprint fails")
    assert batch.reasons[::2] == ("", "")
    assert batch.mols[1] is None
    assert not batch.valid[1]
    assert (found.sum(axis=1) > 0).tolist() == [True, False, True]


def test_no_fingerprint_depends_on_what_was_computed_before():
    # two X-ray contrast agents, whose ErG changed by what atom pairs left in the molecule, and aspirin
    smiles = ["CC(=O)Nc1c(I)c(NC(C)=O)c(I)c(C(=O)O)c1I", "CC(O)C(=O)Nc1c(I)c(C(=O)NC(CO)CO)c(I)c(C(=O)NC(CO)CO)c1I", "CC(=O)Oc1ccccc1C(=O)O"]
    for kind in ("erg", "morgan", "atom_pair", "torsion", "rdkit", "avalon", "maccs"):
        alone = fingerprint(MoleculeBatch(smiles), kind)
        for first in ("atom_pair", "torsion", "erg", "avalon"):
            batch = MoleculeBatch(smiles)
            fingerprint(batch, first)
            assert np.array_equal(fingerprint(batch, kind), alone), (first, kind)
