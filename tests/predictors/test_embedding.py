"""Embeddings written out."""

import numpy as np
import pytest

import drugai
from drugai.errors import ConfigError
from drugai.molecules import MoleculeBatch
from drugai.predictors import GNNConfig, TreesConfig
from drugai.predictors.embedding import embed_file
from drugai.training import fit_on


@pytest.fixture(scope="module")
def network(activity, parts):
    return fit_on(GNNConfig(epochs=1).replace(**{"net.width": 64}), activity.take(parts.train), activity.take(parts.valid))


def test_a_row_a_molecule_and_none_depends_on_its_neighbours(network, activity):
    smiles = [*activity.smiles[:20], "c1ccccc"]
    found, reasons = network.embed(smiles)
    assert [bool(why) for why in reasons] == [False] * 20 + [True]
    assert found.shape == (21, 64)
    assert np.isnan(found[20]).all()
    assert np.isfinite(found[:20]).all()
    assert np.allclose(found[5], network.embed(MoleculeBatch([smiles[5]]))[0][0], atol=1e-5)


def test_the_head_on_an_embedding_is_the_prediction(network, activity):
    import torch

    states = torch.from_numpy(drugai.embed(network, activity.smiles[:5]))
    with torch.inference_mode():
        said = network.heads.decode(network.networks[0].finish(states))[:, 0]
    assert np.allclose(said.numpy(), network.predict(activity.smiles[:5]).mean[:, 0], atol=1e-4)


def test_a_file_keeps_its_rows_and_reasons(network, tmp_path):
    (tmp_path / "l.csv").write_text("SMILES,name\nCCO,a\nc1ccccc,b\nCCN,c\n")
    summary = embed_file(network, tmp_path / "l.csv", tmp_path / "e.csv")
    rows = (tmp_path / "e.csv").read_text().splitlines()
    assert (summary.n, summary.n_errors, len(rows)) == (3, 1, 4)
    assert rows[0].startswith("id,smiles,e0,e1")
    assert rows[0].endswith("e63,reason")
    assert "E_PARSE" in rows[2]


def test_trees_have_no_embedding(activity, parts):
    trees = fit_on(TreesConfig(blocks=("morgan",), members=1, rounds=5, threads=1), activity.take(parts.train), activity.take(parts.valid))
    with pytest.raises(ConfigError, match="no encoder"):
        drugai.embed(trees, ["CCO"])


def test_an_encoder_alone_embeds_by_its_name_or_its_folder(tmp_path):
    from drugai.models.encoder_store import embed_smiles, load_encoder

    smiles = ["CC(=O)Oc1ccccc1C(=O)O", "c1ccccc", "CN1CCC[C@H]1c1cccnc1"]  # aspirin, an unclosed ring, nicotine
    shipped = load_encoder("encoder_small")
    wanted = embed_smiles(shipped, smiles)[0]
    assert np.array_equal(drugai.embed("encoder_small", smiles), wanted, equal_nan=True)
    assert np.array_equal(drugai.embed(shipped.save(tmp_path / "encoder"), smiles), wanted, equal_nan=True)
    (tmp_path / "l.smi").write_text("\n".join(smiles) + "\n")
    summary = embed_file("encoder_small", tmp_path / "l.smi", tmp_path / "e.parquet")
    assert (summary.n, summary.n_errors) == (3, 1)
