"""The next batch: strategies by hand, a pick under budget and likeness, and a loop that closes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import drugai
from drugai.artifact import read_artifact
from drugai.cli.app import app
from drugai.contracts import Dataset, Task
from drugai.errors import ArtifactError, ConfigError
from drugai.molecules import MoleculeBatch, fingerprint, tanimoto
from drugai.screening import propose
from drugai.screening.acquisition import acquire, expected_improvement, pick
from drugai.training.continuing import join
from drugai.training.run import evaluate_saved, train_predictor


def test_strategies_by_hand() -> None:
    mean, std = np.array([1.0, 2.0, np.nan, 1.5]), np.array([3.0, 0.0, 1.0, 1.0])
    assert acquire("greedy", mean).tolist() == [1.0, 2.0, -np.inf, 1.5]
    assert acquire("ucb", mean, std, beta=2.0).tolist() == [7.0, 2.0, -np.inf, 3.5]
    # a standard normal's expected excess over its own mean is 1/sqrt(2 pi) = 0.39894
    np.testing.assert_allclose(expected_improvement(np.array([0.0, 2.0, 1.0]), np.array([1.0, 0.0, 0.0]), 0.0), [0.3989423, 2.0, 1.0], atol=1e-7)
    np.testing.assert_allclose(expected_improvement(np.array([0.0]), np.array([2.0]), 1.0), [2 * (np.exp(-0.125) / np.sqrt(2 * np.pi)) - 0.3085375387], atol=1e-7)
    draws = np.stack([acquire("thompson", mean, std, seed=seed) for seed in range(4000)])
    assert abs(draws[:, 0].mean() - 1.0) < 0.2
    assert abs(draws[:, 0].std() - 3.0) < 0.15
    assert set(draws[:, 1]) == {2.0}
    np.testing.assert_array_equal(acquire("thompson", mean, std, seed=7), draws[7])


def test_a_strategy_that_lacks_what_it_needs_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs a spread"):
        acquire("ucb", np.zeros(2))
    with pytest.raises(ConfigError, match="best value measured"):
        acquire("ei", np.zeros(2), np.ones(2))
    with pytest.raises(ConfigError, match="did you mean 'greedy'"):
        acquire("greedi", np.zeros(2))


def test_a_pick_fits_the_budget_and_keeps_its_distance() -> None:
    values = np.array([5.0, 4.0, 3.0, -np.inf, 2.0])
    assert pick(values, 3).tolist() == [0, 1, 2]
    assert pick(values, 9).tolist() == [0, 1, 2, 4]
    assert pick(values, 9, costs=np.array([3.0, 3.0, 1.0, 1.0, 1.0]), budget=5.0).tolist() == [0, 2, 4]
    bits = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1]])
    assert pick(values, 9, bits=bits, most_similar=0.5).tolist() == [0, 2, 4]  # row 1 is row 0's twin, row 2 shares 1 of 3 bits with it
    with pytest.raises(ConfigError, match="missing or negative"):
        pick(values, 1, costs=np.array([1.0, np.nan, 1.0, 1.0, 1.0]))


def test_newer_values_replace_older_ones_of_the_same_molecule() -> None:
    tasks = (Task("a", "regression"), Task("b", "regression"))
    old = Dataset("old", ("CCO", "CC"), np.array([[1.0, 2.0], [3.0, 4.0]]), tasks)
    new = Dataset("new", ("OCC", "CCC"), np.array([[9.0, np.nan], [5.0, 6.0]]), tasks)  # ethanol written backwards, propane
    found = join(old, new)
    assert found.smiles == ("CCO", "CC", "CCC")
    np.testing.assert_array_equal(found.y, [[9.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model of 120 measured compounds, and the library of all 1,017, with prices."""
    folder = tmp_path_factory.mktemp("loop")
    data = drugai.read_dataset("chembl2321810")
    rows = range(0, 1017, 9)
    (folder / "first.csv").write_text("smiles,pActivity\n" + "".join(f"{data.smiles[row]},{data.y[row, 0]}\n" for row in rows))
    (folder / "library.csv").write_text("id,smiles,price\n" + "".join(f"M{row},{smi},{1 + row % 3}\n" for row, smi in enumerate(data.smiles)))
    settings = {"blocks": ("morgan",), "members": 3, "rounds": 20, "threads": 1}
    train_predictor(folder / "first.csv", folder / "model", model="trees", method="random", settings=settings)
    return folder / "model", folder / "library.csv"


@pytest.mark.slow
def test_the_loop_closes_old_and_new_values_train_the_next_round(tmp_path: Path, started: tuple[Path, Path]) -> None:
    model, library = started
    first = propose(library, model, n=15, strategy="ucb", most_similar=0.7, out=tmp_path / "one")
    assert len(first) == 15
    data = drugai.read_dataset("chembl2321810")
    truth = dict(zip(MoleculeBatch(data.smiles).canonical, data.y[:, 0], strict=True))
    known = {MoleculeBatch([data.smiles[row]]).canonical[0] for row in range(0, 1017, 9)}
    assert not known & set(MoleculeBatch(first.smiles).canonical)  # nothing that has been measured
    bits = fingerprint(MoleculeBatch(first.smiles), "morgan", bits=2048, radius=2)
    likeness = tanimoto(bits)
    np.fill_diagonal(likeness, 0)
    assert likeness.max() <= 0.7

    # the laboratory fills in the last column
    with (tmp_path / "one" / "proposals.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    for row in rows[:-2]:  # two are still to come
        row["measured_pActivity"] = str(truth[MoleculeBatch([row["smiles"]]).canonical[0]])
    with (tmp_path / "back.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    second = propose(library, model, measured=tmp_path / "back.csv", n=15, strategy="ei", out=tmp_path / "two")
    assert second.summary["known"] == 113 + 13
    manifest = read_artifact(tmp_path / "two" / "model").manifest
    assert manifest["data"]["n"] == 126
    assert manifest["config"] != {}
    measured = {MoleculeBatch([row["smiles"]]).canonical[0] for row in rows[:-2]}
    assert not (known | measured) & set(MoleculeBatch(second.smiles).canonical)
    # everything measured trains it: it has no test part, and says so
    with pytest.raises(ArtifactError, match="has no parts"):
        evaluate_saved(tmp_path / "two" / "model")
    assert evaluate_saved(tmp_path / "two" / "model", library.with_name("first.csv")).to_dict()
    # the next round goes on from the second model, whose data lies beside it
    third = propose(library, tmp_path / "two" / "model", n=5, strategy="thompson", out=tmp_path / "three")
    assert third.summary["known"] == 126
    assert not (known | measured) & set(MoleculeBatch(third.smiles).canonical)


def test_a_budget_is_kept_and_the_command_line_says_what_it_did(tmp_path: Path, started: tuple[Path, Path]) -> None:
    model, library = started
    typed = ["propose", str(library), "--model", str(model), "-n", "30", "--strategy", "greedy", "--cost", "price", "--budget", "20", "--out", str(tmp_path / "run")]
    found = CliRunner().invoke(app, typed)
    assert found.exit_code == 0, found.output
    with (tmp_path / "run" / "proposals.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert 19 <= sum(float(row["cost"]) for row in rows) <= 20
    assert "of 30 asked, 113 measured molecules left out" in found.output


def test_a_model_that_does_not_say_what_it_was_trained_from_cannot_learn_on(tmp_path: Path, library: Path, model: Path) -> None:
    (tmp_path / "new.csv").write_text("smiles,pActivity\nCCO,5\n")
    with pytest.raises(ArtifactError, match="does not say which data"):
        propose(library, model, measured=tmp_path / "new.csv", out=tmp_path / "run")
    with pytest.raises(ConfigError, match=r"give best="):
        propose(library, model, strategy="ei", out=tmp_path / "run")
