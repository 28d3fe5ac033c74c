"""Requests of each kind: what they must say and what they may not."""

from __future__ import annotations

import pytest

from drugai.app.asking import check_request
from drugai.app.inputs import input_file, text_format
from drugai.app.limits import ROWS
from drugai.app.shelf import find_models
from drugai.errors import ArtifactError, ConfigError

SCORER = '[[term]]\nkind = "predicted"\nmodel = "solubility/model"\nlow = -5\nhigh = 0\n\n[[term]]\nkind = "qed"\n'


def test_models_are_found_by_their_manifests_and_named_by_their_place(models):
    found = find_models([models])
    assert list(found) == ["solubility/model"]
    assert found["solubility/model"].tasks == (("logS", "log mol/L", "regression"),)
    assert list(find_models([models / "solubility" / "model"])) == ["model"]
    assert find_models([models / "nothing"]) == {}


def test_a_scorer_names_models_of_the_shelf_alone(models):
    shelf = find_models([models])
    asked = check_request("optimize", {"scorer": SCORER, "budget": 100, "seed": 0, "method": "genetic"}, shelf)
    assert asked["scorer"]["term"][0]["model"] == str((models / "solubility" / "model").resolve())
    with pytest.raises(ConfigError, match="there is no model"):
        check_request("optimize", {"scorer": SCORER.replace("solubility/model", "/etc"), "budget": 100, "seed": 0}, shelf)


@pytest.mark.parametrize(
    ("scorer", "words"),
    [
        ("x = [", "not valid TOML"),
        ("combine = 'geometric'", r"no \[\[term\]\]"),
        ('[[term]]\nkind = "external"\ncommand = "id"', "kind 'external'"),
        ('[[term]]\nkind = "command"', "kind 'command'"),
        ('[[term]]\nkind = "similarity"\nfile = "/etc/passwd"', "reads no file"),
        ("term = [1]", "kind None"),
    ],
)
def test_a_scorer_that_would_run_or_read_something_is_refused(models, scorer, words):
    with pytest.raises(ConfigError, match=words):
        check_request("optimize", {"scorer": scorer, "budget": 100, "seed": 0}, find_models([models]))


@pytest.mark.parametrize(
    "asked", [{"top": 10}, {"top": 10, "text": "x" * 6000}, {"top": 0, "text": "x"}, {"top": True, "text": "x"}, {"top": 10, "text": "x", "side": "up"}]
)
def test_a_link_request_needs_a_text_of_moderate_length(asked):
    with pytest.raises(ConfigError):
        check_request("link", asked, {})


def test_a_screen_ranks_by_a_task_of_its_model(models):
    shelf = find_models([models])
    good = {"model": "solubility/model", "text": "CCO", "rank_by": "logS:max", "alerts": ["PAINS"], "top": 5}
    assert check_request("screen", good, shelf)["rank_by"] == "logS:max"
    for change in ({"rank_by": "logP:max"}, {"rank_by": "logS:up"}, {"alerts": ["NONE"]}, {"top": 20_000}):
        with pytest.raises(ConfigError):
            check_request("screen", {**good, **change}, shelf)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("CCO ethanol\nC", "smi"),
        ("CCO\tethanol", "smi"),
        ("SMILES,name\nCCO,x", "csv"),
        ("name;smiles\nx;CCO", "csv"),
        ("Name\tSMILES\nx\tCCO", "tsv"),
        ("CCO", "smi"),
    ],
)
def test_what_is_pasted_is_told_by_its_first_line(text, kind):
    assert text_format(text) == kind


def test_too_many_molecules_are_refused_and_the_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(ROWS, "predict", 2)
    with pytest.raises(ConfigError, match="drugai predict"):
        input_file({"text": "C\nCC\nCCC", "file": ""}, tmp_path, "predict")


@pytest.mark.parametrize("name", ["..", "x", "20260101-000000-0000000g", "20260101-000000-00000000/..", ""])
def test_a_name_that_is_no_jobs_is_refused(tmp_path, name):
    from drugai.app.jobs import JobStore

    with pytest.raises(ArtifactError):
        JobStore(tmp_path).read(name)
