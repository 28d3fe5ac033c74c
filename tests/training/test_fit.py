import numpy as np
import pytest

import drugai
from drugai.contracts import Dataset, Task
from drugai.errors import ArtifactError, ConfigError, DatasetError
from drugai.predictors import GNNConfig, MeanConfig, TreesConfig
from drugai.training import evaluate, fit_on, fit_predictor, model_config, validation_score
from drugai.training.fit_ensemble import member_weights
from drugai.training.run import evaluate_saved, train_predictor

TREES = TreesConfig(blocks=("morgan",), members=1, rounds=50, threads=1)


def test_trees_beat_the_training_mean_on_measured_activity(activity, parts):
    test = activity.take(parts.test)
    trees, mean = (evaluate(fit_predictor(config, activity, parts), test) for config in (TREES, MeanConfig()))
    assert trees["rmse"] < mean["rmse"]
    assert trees["spearman"] > 0.3


def test_a_graph_network_learns_its_training_part(activity, parts):
    train = activity.take(parts.train)
    # validated on what it learns, so that the last and not an early epoch is kept
    model = fit_on(GNNConfig(epochs=120, batch_size=32, learning_rate=3e-3, average=0.0).replace(**{"net.width": 64, "net.dropout": 0.0}), train, train)
    assert evaluate(model, train)["r2"] > 0.7


def test_no_model_is_fitted_on_what_cannot_be_learned(activity):
    def refuse(y, words, n=40):
        data = Dataset("bad", activity.smiles[:n], y, (Task("a", "regression"),))
        with pytest.raises(DatasetError, match=words):
            fit_predictor(MeanConfig(), data, drugai.Split(np.arange(n - 10), np.arange(n - 10, n - 5), np.arange(n - 5, n), "random"))

    refuse(np.ones((40, 1)), "constant")
    refuse(np.full((40, 1), np.nan), "usable|no label")
    refuse(np.arange(20.0)[:, None], "at least 20", n=20)


def test_one_class_alone_is_refused(activity):
    data = Dataset("one", activity.smiles[:60], np.zeros((60, 1)), (Task("toxic", "binary"),))
    with pytest.raises(DatasetError, match="one class"):
        fit_predictor(MeanConfig(), data, drugai.Split(np.arange(40), np.arange(40, 50), np.arange(50, 60), "random"))


def test_unreadable_training_rows_are_counted_not_lost(activity, parts):
    smiles = list(activity.smiles)
    smiles[int(parts.train[0])] = "c1ccccc"
    data = Dataset("dirty", tuple(smiles), activity.y, activity.tasks)
    assert fit_predictor(TREES, data, parts).record["left_out"] == {"E_PARSE": 1}


def test_the_validation_score_holds_no_test_row(activity, parts):
    score = validation_score(activity, parts)
    held = set(score.train.smiles) | set(score.valid.smiles)
    assert len(score.train) + len(score.valid) == 125
    assert not held & (set(activity.take(parts.test).smiles) - held)
    assert score.direction == "min"
    assert score(TREES) == score(TREES)


def test_member_weights_favour_the_better_member(activity, parts):
    members = [fit_predictor(config, activity, parts) for config in (TREES, MeanConfig())]
    weights = member_weights(members, activity.take(parts.valid))
    assert weights.sum() == pytest.approx(1)
    assert weights[0] > 2 * weights[1] > 0  # the mean is far behind, yet not shut out by a handful of molecules


def test_equal_members_have_equal_weights_by_their_own_error(activity, parts):
    member = fit_predictor(MeanConfig(), activity, parts)
    weights = member_weights([member, member], activity.take(parts.valid))
    assert min(weights) >= 0.25  # the half by each member's own error is shared equally, whichever twin the best mixture takes


def test_settings_reach_the_config_and_an_unknown_model_lists_the_known():
    assert model_config("gnn", {"net.depth": 5}).net.depth == 5
    with pytest.raises(ConfigError, match="trees"):
        model_config("tree")


def test_a_run_by_name_is_evaluated_later_on_the_same_test_part(tmp_path):
    run = train_predictor("chembl2321810", tmp_path / "model", model="trees", settings={"blocks": ["morgan"], "members": 1, "rounds": 30, "threads": 1})
    again = evaluate_saved(tmp_path / "model", part="valid")
    assert again["rmse"] == pytest.approx(run.validation["rmse"])
    assert evaluate_saved(tmp_path / "model").n == len(run.split.test)
    assert not (tmp_path / "model.checkpoint").exists()


def test_a_file_that_changed_after_training_is_refused(tmp_path, activity):
    rows = [f"{smi},{value[0]}" for smi, value in zip(activity.smiles, activity.y, strict=True)]
    (tmp_path / "mine.csv").write_text("SMILES,pIC50\n" + "\n".join(rows) + "\n")
    train_predictor(tmp_path / "mine.csv", tmp_path / "model", model="mean", method="random")
    assert evaluate_saved(tmp_path / "model").n > 0
    (tmp_path / "mine.csv").write_text("SMILES,pIC50\n" + "\n".join(rows[:-1]) + "\n")
    with pytest.raises(ArtifactError, match="changed"):
        evaluate_saved(tmp_path / "model")


def test_a_folder_that_is_no_model_is_never_overwritten(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("x")
    with pytest.raises(ArtifactError, match="no drugai artifact"):
        train_predictor("chembl2321810", tmp_path / "thesis", model="mean")


def test_a_users_own_model_is_trained_by_name(activity, parts):
    class Own(MeanConfig):
        def fit(self, train, valid, seed=0):
            return fit_on(MeanConfig(), train, valid, seed=seed)

    drugai.register("model", "own", Own)
    assert fit_predictor(model_config("own"), activity, parts).predict(["CCO"]).mean[0, 0] == pytest.approx(activity.y[parts.train].mean(), rel=1e-5)
