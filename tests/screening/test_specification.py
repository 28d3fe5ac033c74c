"""A scorer as plain values: what can be given, and what changes its hash."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

import drugai
from drugai.errors import ConfigError
from drugai.scoring import predicted, product_of, qed, similar_to, within
from drugai.screening.specification import make_from_factory, specify


def test_a_model_with_one_task_needs_no_rank_by(model: Path) -> None:
    found, models = specify(model)
    assert (found["kind"], found["task"], found["direction"]) == ("model", "pActivity", "max")
    assert models[0]["sha256"] == found["sha256"]
    assert specify(model, "pActivity:min")[0]["direction"] == "min"


def test_a_wrong_rank_by_names_the_task_there_is(model: Path) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'pActivity'"):
        specify(model, "pactivty:max")
    with pytest.raises(ConfigError, match=r"expected TASK:max or TASK:min, for example pActivity:max"):
        specify(model, "pActivity:up")
    with pytest.raises(ConfigError, match="goes with a model alone"):
        specify(product_of(qed()), "qed:max")


def test_the_hash_of_a_scorer_file_covers_the_files_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "actives.smi").write_text("CCO ethanol\n")
    (tmp_path / "s.toml").write_text('[[term]]\nkind = "similarity"\nfile = "actives.smi"\n')
    before = specify(tmp_path / "s.toml")[0]["sha256"]
    (tmp_path / "actives.smi").write_text("CCN ethylamine\n")
    assert specify(tmp_path / "s.toml")[0]["sha256"] != before


def test_a_scorer_made_in_python_is_known_by_its_terms_values_and_predictors(model: Path) -> None:
    def checksum(*terms: object) -> str:
        return str(specify(product_of(*terms))[0]["sha256"])  # type: ignore[arg-type]

    assert checksum(qed()) == checksum(qed())
    assert checksum(within("weight", 0, 300)) != checksum(within("weight", 0, 301))
    assert checksum(similar_to(["CCO"])) != checksum(similar_to(["CCN"]))
    first, second = drugai.load_predictor(model), drugai.load_predictor(model)
    assert checksum(predicted(first, low=5, high=7)) == checksum(predicted(second, low=5, high=7))
    second.record["split"] = {"seed": 1}
    assert checksum(predicted(first, low=5, high=7)) != checksum(predicted(second, low=5, high=7))


def test_a_function_in_a_file_or_module_makes_a_scorer(hazardous: ModuleType) -> None:
    found, _ = specify(hazardous.place("peaceful"))
    assert make_from_factory(found["path"]).score(["CCO"]).reasons == ("",)
    with pytest.raises(ConfigError, match="has no 'pieceful'"):
        make_from_factory(hazardous.place("pieceful"))
    with pytest.raises(ConfigError, match="there is no module 'no_such_module'"):
        specify("no_such_module:make")


@pytest.mark.parametrize(("given", "words"), [("nowhere", "check the path"), ("s.toml", "no such scorer file"), (7, "got a int")])
def test_what_is_no_scorer_is_refused(given: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        specify(given)
