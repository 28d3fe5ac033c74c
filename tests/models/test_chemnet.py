"""ChemNet activations equal those of the package that published the weights."""

from __future__ import annotations

import numpy as np
import pytest

fcd = pytest.importorskip("fcd")

from drugai.models.chemnet import chemnet  # noqa: E402 - after the skip

MOLECULES = [
    "C",
    "CC(=O)Oc1ccccc1C(=O)O",  # aspirin
    "CN1CCC[C@H]1c1cccnc1",  # nicotine
    "C[Si](C)(C)CCl",
    "O=[N+]([O-])c1ccc(Br)cc1",
    "F/C=C/F",  # signs that ChemNet does not know
    "C" * 120,
    "C" * 349,  # as long as padding reaches
]


def test_activations_are_those_of_the_fcd_package():
    import torch
    from fcd.utils import SmilesDataset, load_imported_model

    from drugai.models import chemnet as room

    with room.resources.as_file(room.resources.files("fcd") / room._FILE) as path:
        model = load_imported_model(torch.load(path, weights_only=True)).eval()
    one_hot = torch.tensor(np.stack([SmilesDataset(MOLECULES)[row] for row in range(len(MOLECULES))])).float()
    with torch.no_grad():
        expected = model(one_hot.transpose(1, 2)).numpy()
    np.testing.assert_allclose(chemnet().activations(MOLECULES), expected, atol=2e-5)


def test_batch_and_order_do_not_change_a_row():
    whole = chemnet().activations(MOLECULES)
    np.testing.assert_allclose(chemnet().activations(MOLECULES[::-1], batch=3)[::-1], whole, atol=2e-5)
    assert chemnet().activations([]).shape == (0, 512)


def test_a_molecule_beyond_the_padding_leaves_the_others_alone():
    alone = chemnet().activations(MOLECULES[:2])
    np.testing.assert_allclose(chemnet().activations([*MOLECULES[:2], "C" * 400])[:2], alone, atol=2e-5)
