"""What an encoder has learnt as features of boosters and as a kernel of a Gaussian process."""

import shutil

import numpy as np
import pytest

from drugai.errors import ArtifactError
from drugai.molecules import MoleculeBatch
from drugai.predictors import GPConfig, TreesConfig, load_predictor
from drugai.predictors.learned_features import GRAPHS, feature_matrix, open_encoder, place_of
from drugai.training import fit_on

CONFIGS = {
    "trees": TreesConfig(blocks=("morgan", f"encoder:{GRAPHS}"), members=1, rounds=15, threads=1),
    "gp": GPConfig(counts=("morgan",), descriptors=("descriptors",), encoders=(GRAPHS,), steps=5),
}


def test_a_learned_block_stands_where_it_was_named_and_an_unreadable_molecule_is_nan():
    smiles = ["CCO", "c1ccccc", "CC(=O)Oc1ccccc1C(=O)O"]
    matrix = feature_matrix(MoleculeBatch(smiles), ["morgan", f"encoder:{GRAPHS}", "maccs"])
    states, reasons = open_encoder(GRAPHS).embed(smiles)
    assert reasons[0] == reasons[2] == ""
    assert reasons[1].startswith("E_PARSE")
    width = matrix.shape[1] - feature_matrix(MoleculeBatch(smiles), ["maccs"]).shape[1] - states.shape[1]
    np.testing.assert_array_equal(matrix[:, width : width + states.shape[1]], states)
    assert np.isnan(matrix[1]).all()
    assert not np.isnan(states[[0, 2]]).any()


def test_the_order_of_a_batch_does_not_change_what_is_learnt(activity):
    smiles = list(activity.smiles[:60])
    whole = open_encoder(GRAPHS).embed(smiles)[0]
    turned = open_encoder(GRAPHS).embed(smiles[::-1])[0][::-1]
    alone = np.concatenate([open_encoder(GRAPHS).embed([smi])[0] for smi in smiles[:5]])
    np.testing.assert_allclose(whole, turned, atol=1e-4)
    np.testing.assert_allclose(whole[:5], alone, atol=1e-4)


@pytest.mark.parametrize("kind", CONFIGS)
def test_a_model_with_it_is_saved_and_says_the_same(activity, parts, tmp_path, kind):
    model = fit_on(CONFIGS[kind], activity.take(parts.train), activity.take(parts.valid))
    told = model.predict([*activity.smiles[:20], "c1ccccc"]).mean
    assert np.isnan(told[-1]).all()
    model.save(tmp_path / "model")
    np.testing.assert_allclose(load_predictor(tmp_path / "model").predict(activity.smiles[:20]).mean, told[:20], atol=1e-6)


@pytest.mark.parametrize("kind", CONFIGS)
def test_another_encoder_under_its_name_and_none_are_refused(activity, parts, tmp_path, kind):
    own = tmp_path / "encoder"
    shutil.copytree(place_of(GRAPHS), own)
    config = CONFIGS[kind].replace(blocks=(f"encoder:{own}",)) if kind == "trees" else CONFIGS[kind].replace(encoders=(str(own),))
    fit_on(config, activity.take(parts.train), activity.take(parts.valid)).save(tmp_path / "model")
    load_predictor(tmp_path / "model")
    shutil.rmtree(own)
    with pytest.raises(ArtifactError, match="which is not there"):
        load_predictor(tmp_path / "model")
    shutil.copytree(place_of("encoder_small"), own)
    with pytest.raises(ArtifactError, match="another one of that name"):
        load_predictor(tmp_path / "model")
