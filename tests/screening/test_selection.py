"""Scaffolds, clusters, diverse picks and novelty of the top."""

from __future__ import annotations

from pathlib import Path

import pytest

from drugai.errors import ConfigError
from drugai.screening.selection import describe_top, read_actives

# toluene, ethylbenzene, naphthalene, hexane, 1-methylnaphthalene
TOP = ["Cc1ccccc1", "CCc1ccccc1", "c1ccc2ccccc2c1", "CCCCCC", "Cc1cccc2ccccc12"]


def test_scaffolds_are_those_of_murcko_and_an_acyclic_hit_has_none() -> None:
    assert describe_top(TOP)["scaffold"] == ["c1ccccc1", "c1ccccc1", "c1ccc2ccccc2c1", "", "c1ccc2ccccc2c1"]


def test_the_diverse_pick_begins_with_the_best_hit_and_numbers_its_order() -> None:
    picked = describe_top(TOP, diverse=3)["diverse"]
    assert picked[0] == 1
    assert sorted(picked.tolist()) == [0, 0, 1, 2, 3]
    assert describe_top(TOP, diverse=99)["diverse"].min() == 1  # more than there are: all


def test_similarity_is_to_the_nearest_active_and_one_for_an_active_itself() -> None:
    found = describe_top(TOP, actives=["CCCCCCO", "Cc1ccccc1"])  # hexanol, toluene
    assert found["similarity"][0] == 1.0
    assert found["nearest_active"][0] == "Cc1ccccc1"
    assert found["nearest_active"][3] == "CCCCCCO"


def test_no_hits_give_empty_columns() -> None:
    assert {name: len(values) for name, values in describe_top([], diverse=2, actives=["CCO"]).items()} == {
        "scaffold": 0, "cluster": 0, "diverse": 0, "similarity": 0, "nearest_active": 0,
    }  # fmt: skip


def test_actives_are_read_from_a_file_or_a_list_and_a_bad_one_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,smiles\nethanol,CCO\n")
    assert read_actives(tmp_path / "a.csv") == read_actives(["CCO"]) == ["CCO"]
    with pytest.raises(ConfigError, match=r"cannot read 'c1ccccc'"):
        read_actives(["CCO", "c1ccccc"])
    with pytest.raises(ConfigError, match="no molecule is given"):
        read_actives([])
