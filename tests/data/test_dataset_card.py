"""Cards say what they must, and a wrong card is refused with the right word."""

from __future__ import annotations

import re

import pytest

from drugai.data import card, cards
from drugai.data.dataset_card import EVERY_OTHER_COLUMN, find_cards, read_card
from drugai.data.splitting import SPLIT_METHODS
from drugai.errors import DatasetError
from drugai.metrics.property import METRICS

CARD = """
name = "mine"
title = "Mine"
group = "test"
rows = 2
licence = "MIT"
citation = ["me"]

[[file]]
path = "mine.csv"
sha256 = "00"

[[task]]
name = "y"
column = "y"
"""


def test_there_are_at_least_sixty_cards_each_with_licence_rows_and_citation():
    assert len(cards()) >= 60
    for name, one in cards().items():
        assert all((one.licence, one.rows > 0, one.title, one.citation, one.files)), name


def test_a_card_is_named_like_its_folder():
    assert sorted(cards()) == sorted(path.parent.name for path in find_cards().glob("*/dataset.toml"))


def test_every_file_has_a_sha256_and_a_url_pinned_to_a_commit_or_a_package():
    for name, one in cards().items():
        for file in one.files:
            assert re.fullmatch(r"[0-9a-f]{64}", file.sha256), name
            assert file.package or re.search(r"/[0-9a-f]{40}/", file.url), f"{name}: {file.path}"
            assert file.bytes > 0


def test_every_recommended_split_and_metric_exists():
    for name, one in cards().items():
        assert not one.smiles or one.split in SPLIT_METHODS, name
        assert one.metric in METRICS or not one.tasks, name


def test_every_regression_task_has_a_unit_unless_it_is_a_ratio():
    without = {task.name for one in cards().values() for task in one.tasks if task.kind == "regression" and not task.unit}
    assert without <= {"logD", "logP", "logBB"}


def test_file_rows_add_up_to_the_rows_of_the_card():
    for name, one in cards().items():
        if not one.where and not any(file.join for file in one.files):
            assert sum(file.rows for file in one.files) == one.rows, name


def test_every_other_column_is_counted_by_hand():
    assert card("toxcast").tasks[0].name == EVERY_OTHER_COLUMN
    assert card("toxcast").task_count == 617  # Richard et al. 2016


def test_esol_has_the_unit_of_delaney():
    assert card("esol").tasks[0].task.label == "logS [log mol/L]"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(DatasetError, match="did you mean 'lipophilicity'"):
        card("lipophilcity")


def test_an_unknown_key_names_the_nearest_legal_one(tmp_path):
    path = tmp_path / "dataset.toml"
    path.write_text(CARD.replace("licence =", "license ="))
    with pytest.raises(DatasetError, match="unknown key 'license'; did you mean 'licence'"):
        read_card(path)


def test_a_wrong_kind_a_missing_key_and_broken_toml_are_refused(tmp_path):
    path = tmp_path / "dataset.toml"
    path.write_text(CARD + 'kind = "ordinal"\n')
    with pytest.raises(DatasetError, match="ordinal"):
        read_card(path)
    path.write_text(CARD.replace("rows = 2\n", ""))
    with pytest.raises(DatasetError, match="rows"):
        read_card(path)
    path.write_text("name = ")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_card(path)


def test_a_card_without_files_is_refused(tmp_path):
    path = tmp_path / "dataset.toml"
    path.write_text(CARD.partition("[[file]]")[0])
    with pytest.raises(DatasetError, match=r"no \[\[file\]\]"):
        read_card(path)
