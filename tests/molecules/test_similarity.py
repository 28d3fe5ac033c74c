"""Tanimoto and its company, against RDKit and by hand."""

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from drugai.errors import ConfigError
from drugai.molecules.fingerprints import fingerprint
from drugai.molecules.similarity import butina, nearest, pick_maxmin, tanimoto

# three salicylates, three xanthines, two steroids
SMILES = [
    "OC(=O)c1ccccc1O", "CC(=O)Oc1ccccc1C(=O)O", "COC(=O)c1ccccc1O",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O", "Cn1c(=O)c2[nH]cnc2n(C)c1=O", "Cn1cnc2c1c(=O)[nH]c(=O)n2C",
    "CC12CCC3C(CCC4=CC(=O)CCC34C)C1CCC2O", "CC(=O)C1CCC2C3CCC4=CC(=O)CCC4(C)C3CCC12C",
]  # fmt: skip


def test_bits_equal_rdkits_bulk_tanimoto():
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    vectors = [generator.GetFingerprint(Chem.MolFromSmiles(smi)) for smi in SMILES]
    expected = [DataStructs.BulkTanimotoSimilarity(vector, vectors) for vector in vectors]
    np.testing.assert_allclose(tanimoto(fingerprint(SMILES)), expected, atol=1e-6)


def test_counts_equal_rdkits_tanimoto_of_count_vectors():
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    vectors = [generator.GetCountFingerprint(Chem.MolFromSmiles(smi)) for smi in SMILES]
    expected = [DataStructs.BulkTanimotoSimilarity(vector, vectors) for vector in vectors]
    np.testing.assert_allclose(tanimoto(fingerprint(SMILES, counts=True)), expected, atol=1e-6)


def test_a_row_of_zeros_resembles_nothing():
    fps = fingerprint(["CCO", "bad"])
    assert tanimoto(fps).tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_nearest_gives_the_best_in_order_and_the_lower_row_among_equals():
    fps = fingerprint(SMILES)
    values, rows = nearest(fps, fps, k=3)
    assert rows[:, 0].tolist() == list(range(8))
    np.testing.assert_allclose(values[:, 0], 1)
    assert (np.diff(values, axis=1) <= 0).all()
    doubled = np.vstack([fps, fps])
    assert nearest(fps, doubled, k=1)[1][:, 0].tolist() == list(range(8))
    with pytest.raises(ConfigError):
        nearest(fps, fps, k=9)


def test_butina_finds_the_three_families():
    labels = butina(fingerprint(SMILES), cutoff=0.75)
    assert len(set(labels[:3])) == 1
    assert len(set(labels[3:6])) == 1
    assert len(set(labels[6:])) == 1
    assert len(set(labels)) == 3
    assert np.bincount(labels).tolist() == sorted(np.bincount(labels), reverse=True)


def test_butina_by_hand():
    # rows 0 and 1 are 2/3 alike, 1 and 2 too, 0 and 2 only 1/3: the middle one is the centre
    fps = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=np.uint8)
    assert butina(fps, cutoff=0.34).tolist() == [0, 0, 0, 1, 2]
    assert butina(fps, cutoff=0.1).tolist() == [0, 1, 2, 3, 4]
    assert butina(np.zeros((0, 4), dtype=np.uint8)).shape == (0,)


def test_maxmin_takes_one_of_each_family_first():
    picks = pick_maxmin(fingerprint(SMILES), 3, seed=0)
    assert {0 if pick < 3 else 1 if pick < 6 else 2 for pick in picks} == {0, 1, 2}
    assert pick_maxmin(fingerprint(SMILES), 8, seed=1).tolist() == pick_maxmin(fingerprint(SMILES), 8, seed=1).tolist()
    assert sorted(pick_maxmin(fingerprint(SMILES), 8, seed=1)) == list(range(8))
    assert pick_maxmin(fingerprint(SMILES), 2, first=5)[0] == 5
    with pytest.raises(ConfigError):
        pick_maxmin(fingerprint(SMILES), 9)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="cannot be compared"):
        tanimoto(np.zeros((2, 8), dtype=np.uint8), np.zeros((2, 9), dtype=np.uint8))
