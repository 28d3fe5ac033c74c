"""The automatic combination says what it tried, keeps what helps, and never looks at a test row."""

import math
from dataclasses import replace

import numpy as np
import pytest

from drugai.contracts import Dataset, Task
from drugai.errors import ConfigError, DatasetError
from drugai.predictors import AutoConfig, GNNConfig, GPConfig, LMConfig, TreesConfig, load_predictor
from drugai.predictors.embedding import embed
from drugai.predictors.explaining import explain
from drugai.training import evaluate, fit_on
from drugai.training.evaluation import validation_score
from drugai.training.fit_auto import affordable, fit_auto, gp_seconds, target_scale
from drugai.training.folding import assign_folds
from drugai.training.run import calibrate_saved, evaluate_saved, train_predictor

NETWORK = GNNConfig(epochs=2).replace(**{"net.width": 16, "net.head_width": 16})
SMALL = AutoConfig(
    minutes=0.5,
    most=7,
    trees=TreesConfig(blocks=("morgan",), members=1, rounds=30, threads=1),
    gp=GPConfig(counts=("morgan",), descriptors=("descriptors",), encoders=("graph_encoder_small",), steps=5),
    folds=2,
    fragments=TreesConfig(blocks=("feature_morgan",), members=1, rounds=20, threads=1),
    embedded=TreesConfig(blocks=("maccs", "encoder:graph_encoder_small"), members=1, rounds=20, threads=1),
    lm=LMConfig(encoder="encoder_small", mode="frozen", epochs=2),
    hybrid=NETWORK.replace(features=["descriptors"]),
    gnn=NETWORK,
)


@pytest.fixture(scope="module")
def fitted(activity, parts):
    return fit_on(SMALL, activity.take(parts.train), activity.take(parts.valid), seed=0)


def test_every_kind_is_tried_and_the_record_says_what_came_of_it(fitted):
    tries = fitted.record["auto"]["tries"]
    assert [one["name"] for one in tries[:7]] == ["trees", "gp", "fragments", "embedded", "lm", "hybrid", "gnn"]
    assert all(one["why"] for one in tries)
    assert sum(one["weight"] for one in tries) == pytest.approx(1, abs=0.01)
    assert fitted.record["names"] == [one["name"] for one in tries if one["weight"] > 0]


def test_it_is_no_worse_on_the_validation_part_than_its_worst_member(fitted, activity, parts):
    valid = activity.take(parts.valid)
    scores = [one["score"] for one in fitted.record["auto"]["tries"] if not math.isnan(one["score"])]
    assert evaluate(fitted, valid)["rmse"] <= max(scores)


def test_it_is_saved_as_one_folder_with_its_record(fitted, activity, tmp_path):
    loaded = load_predictor(fitted.save(tmp_path / "auto"))
    assert loaded.record["auto"]["tries"][0]["name"] == "trees"
    assert loaded.held_out is None
    np.testing.assert_allclose(loaded.predict(activity.smiles[:5]).mean, fitted.predict(activity.smiles[:5]).mean, atol=1e-6)


def test_networks_over_folds_are_explained_embedded_and_saved_like_any_model(activity, parts, tmp_path):
    config = SMALL.replace(candidates=["gnn"], most=1)
    model = fit_auto(config, activity.take(parts.train), activity.take(parts.valid))
    assert len(model.members[0].members) == config.folds
    again = load_predictor(model.save(tmp_path / "networks"))
    smiles = list(activity.smiles[:3])
    found = model.predict(smiles).mean[:, 0]
    np.testing.assert_allclose(again.predict(smiles).mean[:, 0], found, atol=1e-5)
    assert explain(again, smiles[:1])[0].prediction == pytest.approx(float(found[0]), abs=1e-4)
    assert embed(again, smiles).shape[0] == 3


def test_a_members_held_out_values_were_not_learnt_from(activity, parts):
    """A molecule's value is changed beyond all measure: what is said of it while it is held out stays as it was."""
    train, valid = activity.take(parts.train), activity.take(parts.valid)
    config = SMALL.replace(candidates=["gp"], most=1)
    before = fit_auto(config, train, valid)
    fold = before.held_out.fold
    row = 3
    y = train.y.copy()
    y[row] += 2.0
    after = fit_auto(config, replace(train, y=y), valid)
    np.testing.assert_array_equal(after.held_out.fold, fold)
    # the hyper-parameters, and the mean and spread of the values, are of the whole: they move a little, its own value would move it by most of 2
    moved = np.abs(after.held_out.predictions.mean - before.held_out.predictions.mean)[:, 0]
    learnt = abs(float(after.predict([train.smiles[row]]).mean[0, 0] - before.predict([train.smiles[row]]).mean[0, 0]))
    assert moved[row] < 0.2
    assert learnt > 2 * moved[row]


def test_both_parts_are_learnt_from_and_said_so_or_the_validation_part_stays_unseen(activity, parts, tmp_path):
    train, valid = activity.take(parts.train), activity.take(parts.valid)
    config = SMALL.replace(candidates=["trees"], most=1)
    whole, part = fit_auto(config, train, valid), fit_auto(config.replace(whole=False), train, valid)
    assert (len(whole.held_out.data), len(part.held_out.data)) == (len(train) + len(valid), len(train))
    assert whole.record["auto"]["whole"]
    assert not part.record["auto"]["whole"]
    other = replace(valid, y=valid.y + 1.0)
    np.testing.assert_array_equal(fit_auto(config.replace(whole=False), train, other).predict(train.smiles).mean, part.predict(train.smiles).mean)
    assert validation_score(activity, parts).fit(config).record["auto"]["whole"] is False  # a study never scores what was learnt from


@pytest.mark.slow
def test_a_run_of_auto_has_intervals_from_its_folds_and_refuses_a_score_on_what_it_learnt(tmp_path):
    run = train_predictor("chembl2321810", tmp_path / "m", model="auto", method="random", config=SMALL.replace(candidates=["trees", "gp"], most=2))
    assert "held-out folds" in run.validation.data
    assert run.predictor.record["calibration"]["n"] == len(run.split.train) + len(run.split.valid)
    assert any("learnt from too" in note for note in run.notes)
    test = run.data.take(run.split.test)
    found = run.predictor.predict(list(test.smiles), level=0.8)
    inside = (found.lower[:, 0] <= test.y[:, 0]) & (test.y[:, 0] <= found.upper[:, 0])
    assert 0.5 <= inside.mean() <= 1.0
    with pytest.raises(ConfigError, match="learnt from its validation part"):
        evaluate_saved(tmp_path / "m", part="valid")
    with pytest.raises(ConfigError, match="learnt from its validation part"):
        calibrate_saved(tmp_path / "m")
    assert evaluate_saved(tmp_path / "m", part="test")["rmse"] > 0


def test_folds_are_of_scaffolds_where_these_fill_them_evenly():
    rings = [f"C{'C' * k}c1cc{'c' * (k % 3)}c{'n' if k % 2 else 'c'}1" for k in range(3)] + ["C1CCCCC1", "C1CCCC1", "C1CCC1", "C1CC1", "c1ccncc1", "c1ccsc1", "c1ccoc1", "c1cc[nH]c1"]
    mixed = Dataset("m", tuple(rings * 3), np.arange(len(rings) * 3, dtype=float)[:, None], (Task("a", "regression"),))
    fold, method = assign_folds(mixed, 2, 0)
    assert method == "scaffold"
    assert set(fold) <= {0, 1, -1}
    one = Dataset("o", tuple("C" * k + "c1ccccc1" for k in range(1, 31)), np.arange(30.0)[:, None], (Task("a", "regression"),))
    fold, method = assign_folds(one, 3, 0)
    assert method == "molecule"
    assert np.bincount(fold).tolist() == [10, 10, 10]


def test_without_time_only_the_first_is_fitted_and_the_others_say_why(activity, parts):
    model = fit_on(SMALL.replace(minutes=0.0001), activity.take(parts.train), activity.take(parts.valid))
    assert model.record["names"] == ["trees"]
    assert all("skipped" in one["why"] for one in model.record["auto"]["tries"][1:])
    assert gp_seconds(100) < gp_seconds(4000) < gp_seconds(40_000)


def test_a_gaussian_process_takes_as_many_landmarks_as_the_time_allows():
    config = GPConfig()
    assert affordable(config, 500, 60) is config
    fewer = affordable(config, 10_000, 170)
    assert fewer.landmarks == 2000
    assert gp_seconds(10_000, 2000) <= 170 < gp_seconds(10_000, 4000)
    assert affordable(config, 10_000, 20) is None
    assert affordable(config, 30, 5) is None


def test_a_killed_run_does_not_fit_a_finished_member_again(activity, parts, tmp_path):
    train, valid = activity.take(parts.train), activity.take(parts.valid)
    config = SMALL.replace(candidates=["trees", "gp"], most=2)
    first = fit_auto(config, train, valid, checkpoint=tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("manifest.json")}
    assert len(kept) == 2
    again = fit_auto(config, train, valid, checkpoint=tmp_path)
    assert kept == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("manifest.json")}
    np.testing.assert_allclose(first.predict(valid.smiles).mean, again.predict(valid.smiles).mean, atol=1e-5)


def test_values_over_decades_are_learnt_as_logarithms_and_told_in_their_unit(activity, parts, tmp_path):
    decades = replace(activity, y=(10.0 ** (9 - activity.y)).astype(np.float32))  # −log10 of M in nM
    config = SMALL.replace(candidates=["gp"], most=1)
    train, valid = decades.take(parts.train), decades.take(parts.valid)
    model = fit_auto(config, train, valid)
    assert model.record["auto"]["scales"] == ["log10"]
    same = fit_auto(config, activity.take(parts.train), activity.take(parts.valid))
    assert same.record["auto"]["scales"] == ["linear"]
    smiles = list(activity.smiles[:20])
    found, expected = model.predict(smiles).mean[:, 0], same.predict(smiles).mean[:, 0]
    np.testing.assert_allclose(9 - np.log10(found), expected, atol=0.02)  # the same quantity, turned round
    again = load_predictor(model.save(tmp_path / "decades"))
    np.testing.assert_allclose(again.predict(smiles).mean[:, 0], found, rtol=1e-4)
    assert explain(model, smiles[:1])[0].prediction == pytest.approx(float(found[0]), rel=1e-3)
    assert set(fit_auto(config.replace(scale="linear"), train, valid).scales) == {"linear"}


def test_a_scale_is_taken_from_the_training_values():
    def scale(values, asked="auto", unit=""):
        return target_scale(asked, Dataset("d", ("C",) * len(values), np.array(values)[:, None], (Task("a", "regression", unit=unit),)), 0)

    spread = np.exp(np.random.default_rng(0).normal(0, 2, 400))
    assert scale(spread) == "log10"
    assert scale(-spread) == "linear"
    assert scale(np.log(spread)) == "linear"
    assert scale(np.full(30, 2.0)) == "linear"
    assert scale(np.log(spread) + 20, "log10") == "log10"
    share = np.linspace(0, 100, 50)
    assert scale(share, unit="%") == "percent"
    assert scale(share) == "linear"  # a number from 0 to 100 need not be a share
    assert scale(share + 1, unit="%") == "linear"
    with pytest.raises(DatasetError, match="outside 0 to 100"):
        scale(share + 1, "percent")
    with pytest.raises(DatasetError, match="0 or less has no logarithm"):
        scale(np.append(spread, 0.0), "log10")


def test_bad_settings_are_refused_in_words():
    with pytest.raises(ConfigError, match="each once"):
        AutoConfig(candidates=("trees", "forest"))
    with pytest.raises(ConfigError, match="minutes must be above 0"):
        AutoConfig(minutes=0)
