"""Files of a card become one table: stacked, joined, filtered."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from drugai.data.dataset_card import Card, CardFile, CardTask
from drugai.data.tables import read_card_table
from drugai.errors import DatasetError


def file(path: Path, **more: object) -> CardFile:
    return CardFile(path.name, hashlib.sha256(path.read_bytes()).hexdigest(), **more)  # type: ignore[arg-type]


def card(*files: CardFile, **more: object) -> Card:
    return Card("mine", "Mine", "test", 1, "MIT", files, ("me",), (CardTask("y", "y"),), **more)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DRUGAI_DATA", str(tmp_path))
    monkeypatch.setenv("DRUGAI_CACHE", str(tmp_path / "cache"))


def test_files_are_stacked_with_their_constants_and_places(write):
    train, test = write("train.csv", "smiles,y", "CCO,1", "CCN,2"), write("test.csv", "smiles,y", "CCC,3")
    table = read_card_table(card(file(train, set={"split": "train_valid"}), file(test, set={"split": "test"})))
    assert table.columns == {"smiles": ["CCO", "CCN", "CCC"], "y": ["1", "2", "3"], "split": ["train_valid", "train_valid", "test"]}
    assert table.places == ["train.csv line 2", "train.csv line 3", "test.csv line 2"]


def test_files_with_different_columns_are_refused(write):
    with pytest.raises(DatasetError, match="has the columns smiles, z"):
        read_card_table(card(file(write("a.csv", "smiles,y", "C,1")), file(write("b.csv", "smiles,z", "C,1"))))


def test_a_joined_file_answers_by_key_and_rows_without_answer_go(write):
    molecules = write("a.smi", "CCO 7", "CCN 8", "CCC 9")
    values = write("b.csv", "Name,Act", "9,3.0", "7,1.0", "7,99")
    table = read_card_table(card(file(molecules, format="smi", header=("smiles", "Name")), file(values, join="Name")))
    assert table.columns == {"smiles": ["CCO", "CCC"], "Name": ["7", "9"], "Act": ["1.0", "3.0"]}


def test_where_keeps_uncensored_rows(write):
    path = write("a.csv", "smiles,relation,y", "CCO,=,1", "CCN,>,2", "CCC,=,3")
    table = read_card_table(card(file(path), where={"relation": "="}))
    assert table.columns["smiles"] == ["CCO", "CCC"]
    assert table.places[1] == "a.csv line 4"


def test_a_file_without_a_header_gets_the_names_of_the_card(write):
    path = write("a.csv", '"N(NC(=O)C1CCC1)c2ccccc2","W-1"', '"CCO","W-2"')
    assert read_card_table(card(file(path, header=("smiles", "id")))).columns["id"] == ["W-1", "W-2"]
