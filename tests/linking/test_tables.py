"""Tables are read whole or refused with the right word."""

from __future__ import annotations

from pathlib import Path

import pytest

from drugai.errors import DatasetError
from drugai.linking.tables import Disease, Drug, Indication, LinkTables, read_tables

DRUGS = "drug_id,name,smiles,mechanism,class\nd1,Aspirin,CC(=O)Oc1ccccc1C(=O)O,Acetylates cyclo-oxygenase,Salicylate\n"
DISEASES = "disease_id,name,definition,synonyms\nz1,pain,An unpleasant sensation,ache|dolor\n"
PAIRS = "drug_id,disease_id,kind,sources\nd1,z1,treats,primer\n"


def write(folder: Path, drugs: str = DRUGS, diseases: str = DISEASES, pairs: str = PAIRS) -> Path:
    for name, text in (("drugs", drugs), ("diseases", diseases), ("indications", pairs)):
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_three_tables_are_read_with_their_lists_split(tmp_path: Path):
    tables = read_tables(write(tmp_path))
    assert tables.drugs[0].text() == "Acetylates cyclo-oxygenase Salicylate"
    assert tables.diseases[0].synonyms == ("ache", "dolor")
    assert list(tables.pairs()) == [(0, 0)]


def test_a_missing_column_is_named_with_the_one_that_looks_like_it(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"'smiles' is missing \(is it 'smile'"):
        read_tables(write(tmp_path, drugs=DRUGS.replace("smiles", "smile")))


def test_a_missing_table_and_an_unknown_kind_are_named(tmp_path: Path):
    with pytest.raises(DatasetError, match="has no drugs.csv"):
        read_tables(tmp_path)
    with pytest.raises(DatasetError, match="'cures'"):
        read_tables(write(tmp_path, pairs=PAIRS.replace("treats", "cures")))


def test_an_indication_of_an_unknown_drug_is_refused(tmp_path: Path):
    with pytest.raises(DatasetError, match="d9 - z1"):
        read_tables(write(tmp_path, pairs=PAIRS + "d9,z1,treats,primer\n"))


def test_contradictory_pairs_are_reported_and_stay():
    both = (Indication("d1", "z1", "treats", ("one",)), Indication("d1", "z1", "non_indication", ("two",)))
    tables = LinkTables("contradiction", (Drug("d1", "Aspirin"),), (Disease("z1", "gout"),), both)
    assert tables.contradictions() == [both]
    assert len(tables.indications) == 2
