"""`drugai tune` and `drugai study` from the command line, at toy size."""

import json

import pytest
from typer.testing import CliRunner

from drugai.cli.app import app
from drugai.errors import ConfigError

QUICK = ["--set", "rounds=15", "--set", "members=1", "--set", "threads=1", "--set", 'blocks=["morgan"]']


def drugai(*arguments):
    done = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def table(activity, tmp_path):
    """120 molecules with their activity as a file."""
    path = tmp_path / "a.csv"
    rows = [f"{smi},{value}" for smi, value in zip(activity.smiles[:120], activity.y[:120, 0], strict=True)]
    path.write_text("SMILES,pActivity\n" + "\n".join(rows) + "\n")
    return path


def test_a_predictor_is_tuned_shown_exported_plotted_and_refitted(table, tmp_path):
    out = tmp_path / "s"
    arguments = ["tune", "predictor", table, "--target", "pActivity", "--split", "random", "--model", "trees", *QUICK, "--name", "s", "--out", out]
    assert "3 complete" in drugai(*arguments, "--trials", "3")
    told = drugai(*arguments, "--trials", "5", "--refit")
    assert "validation rmse: starting config" in told
    assert "selection bias" in told
    assert "tuned − starting on test, pActivity" in told
    assert (out / "s.model" / "manifest.json").is_file()
    assert "s " in drugai("study", "list", "--out", out)
    summary = json.loads(drugai("study", "show", "s", "--out", out, "--json"))
    assert sum(summary["counts"].values()) == 5
    assert summary["metric"] == "rmse"
    assert "starting config" in drugai("study", "show", "s", "--out", out)
    (tmp_path / "best.toml").write_text(drugai("study", "best", "s", "--out", out))
    from drugai.predictors import TreesConfig

    assert TreesConfig.from_toml(tmp_path / "best.toml").to_dict().items() >= summary["best"][0]["params"].items()
    drugai("study", "export", "s", "--out", out, "--to", tmp_path / "t.csv")
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 6
    page = out / "s.html"
    assert drugai("study", "plot", "s", "--out", out).strip() == str(page)
    assert "Time line" in page.read_text()
    best = summary["best"][0]["number"]
    assert (out / "s.trials" / f"trial_{best:05d}" / "model" / "manifest.json").is_file()


def test_the_model_is_a_choice_and_size_a_second_objective(table, tmp_path):
    out = tmp_path / "s"
    models = ["--model", "trees", "--model", "mean_of_nothing"]
    with pytest.raises(ConfigError, match="mean_of_nothing"):
        drugai("tune", "predictor", table, "--target", "pActivity", *models, "--out", out)
    settings = [part for setting in ("rounds=15", "members=1", "threads=1", 'blocks=["morgan"]') for part in ("--set", f"trees.{setting}")]
    arguments = ["--split", "random", "--model", "trees", "--model", "gp", *settings, "--cost", "size", "--trials", "4", "--pruner", "none", "--name", "k", "--out", out]
    assert "Pareto front of rmse, size [bytes]" in drugai("tune", "predictor", table, "--target", "pActivity", *arguments)
    assert "# --model" in drugai("study", "best", "k", "--out", out, "--weights", "1,0")
    with pytest.raises(ConfigError, match="--weights"):
        drugai("study", "best", "k", "--out", out)
    drugai("study", "plot", "k", "--out", out)
    assert "Pareto front" in (out / "k.html").read_text()


def test_folds_are_scored_and_cannot_be_combined_with_a_cost(table, tmp_path):
    arguments = ["tune", "predictor", table, "--target", "pActivity", "--split", "random", "--model", "trees", *QUICK, "--out", tmp_path, "--folds", "3"]
    assert "2 complete" in drugai(*arguments, "--trials", "2", "--pruner", "wilcoxon")
    with pytest.raises(ConfigError, match="--folds and --cost"):
        drugai(*arguments, "--cost", "size")


def test_weights_of_saved_models_are_tuned_and_models_of_another_split_refused(table, tmp_path):
    for model, split, extra in (("trees", "random", QUICK), ("mean", "random", []), ("mean", "scaffold", [])):
        drugai("train", table, "--target", "pActivity", "--model", model, "--split", split, *extra, "--out", tmp_path / f"{model}_{split}")
    shared = ["tune", "weights", table, "--target", "pActivity", "--split", "random", "--out", tmp_path / "w", "--trials", "10", "--model", tmp_path / "trees_random"]
    told = drugai(*shared, "--model", tmp_path / "mean_random")
    assert "saved in" in told
    assert (tmp_path / "w" / "weights.model" / "manifest.json").is_file()
    with pytest.raises(ConfigError, match="another split"):
        drugai(*shared, "--model", tmp_path / "mean_scaffold")
