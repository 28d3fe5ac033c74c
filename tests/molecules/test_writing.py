"""Tables are written whole or not at all, and no cell of theirs runs in a spreadsheet."""

import csv
import gzip

import numpy as np
import pytest

from drugai.errors import DatasetError
from drugai.molecules.reading import read_table
from drugai.molecules.writing import atomic_file, neutral, write_table


@pytest.mark.parametrize("cell", ["=1+1", '=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", " =1", "-1|cmd", "=cmd|' /C calc'!A0"])
def test_t12_formula_cells_are_neutralised(tmp_path, cell):
    for ending in ("csv", "tsv"):
        path = write_table(tmp_path / f"a.{ending}", {"smiles": ["C"], "name": [cell]})
        with path.open(newline="") as stream:
            written = list(csv.reader(stream, delimiter="," if ending == "csv" else "\t"))[1][1]
        assert written == "'" + cell


@pytest.mark.parametrize("cell", ["-001", "+7", "-1.5", "+1.5e-3", "-OH", "NA", "C=O", "00123", "a=b", "[Na+].[Cl-]", ""])
def test_t12_identifiers_and_numbers_are_unchanged(tmp_path, cell):
    assert neutral(cell) == cell
    path = write_table(tmp_path / "a.csv", {"smiles": ["C"], "name": [cell]})
    assert read_table(path).columns["name"] == [cell]


def test_t12_number_columns_are_never_touched(tmp_path):
    columns = {"smiles": ["C", "CC"], "x": np.array([-1.5, np.nan], dtype=np.float32), "k": np.array([-1, 2]), "f": [-0.1, None]}
    got = read_table(write_table(tmp_path / "a.csv", columns)).columns
    assert got == {"smiles": ["C", "CC"], "x": ["-1.5", ""], "k": ["-1", "2"], "f": ["-0.1", ""]}


def test_a_float32_is_written_with_its_own_digits(tmp_path):
    got = read_table(write_table(tmp_path / "a.csv", {"x": np.array([0.1, 1 / 3], dtype=np.float32)})).columns["x"]
    assert got[0] == "0.1"
    assert np.float32(got[1]) == np.float32(1 / 3)


def test_the_same_table_gives_the_same_bytes(tmp_path):
    for ending in ("csv", "csv.gz", "parquet", "sdf.gz"):
        a = write_table(tmp_path / f"a.{ending}", {"smiles": ["CCO"], "x": [1.0]}).read_bytes()
        b = write_table(tmp_path / f"b.{ending}", {"smiles": ["CCO"], "x": [1.0]}).read_bytes()
        if ending != "sdf.gz":  # RDKit writes the time into a mol block
            assert a == b
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()) == b"smiles,x\nCCO,1.0\n"


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = write_table(tmp_path / "a.csv", {"smiles": ["C"]})
    before = path.read_bytes()

    def fail_half_way():
        with atomic_file(path) as stream:
            stream.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_columns_of_different_lengths_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="one common length"):
        write_table(tmp_path / "a.csv", {"smiles": ["C", "CC"], "x": [1]})
    with pytest.raises(DatasetError, match="no column is named like SMILES"):
        write_table(tmp_path / "a.smi", {"x": [1]})
    assert list(tmp_path.iterdir()) == []


def test_an_unreadable_molecule_keeps_its_row_in_sdf(tmp_path):
    path = write_table(tmp_path / "a.sdf", {"smiles": ["CCO", "bad", "C"], "id": ["a", "$$$$", "c"], "note": ["x\n\ny", "> <fake>", ""]})
    table = read_table(path)
    assert table.columns["id"] == ["a", "$$$", "c"] or len(table) == 3
    assert [bool(why) for why in table.reasons] == [False, True, False]
    assert table.columns["note"][0] == "x\ny"
