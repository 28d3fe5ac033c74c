"""Libraries are read row by row: nothing is lost, nothing is changed."""

import gzip
import json

import pytest

from drugai.errors import ConfigError, DatasetError, code_of
from drugai.molecules import delimited
from drugai.molecules.columns import infer_id_column, infer_smiles_column
from drugai.molecules.indexing import LibraryIndex, count_molecules, index_library
from drugai.molecules.reading import column_names, read_library, read_table
from drugai.molecules.writing import write_table


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def rows(path, **options):
    """(SMILES, id, line, code) of every record."""
    return [row for chunk in read_library(path, **options) for row in zip(chunk.smiles, chunk.ids, chunk.lines, map(code_of, chunk.reasons), strict=True)]


# ---- formats


@pytest.mark.parametrize("ending", ["smi", "csv", "tsv", "sdf", "parquet"])
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_every_format_gives_the_same_molecules(tmp_path, ending, packed):
    smiles = ["CCO", "CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)C(=O)O"]  # ethanol, aspirin, L-alanine
    path = write_table(tmp_path / f"a.{ending}{packed}", {"smiles": smiles, "id": ["00123", "NA", "1e5"]})
    got = rows(path)
    assert [row[0] for row in got] == smiles
    assert [row[1] for row in got] == ["00123", "NA", "1e5"]
    assert count_molecules(path) == 3


def test_a_smiles_file_without_and_with_a_header(tmp_path):
    assert rows(write(tmp_path / "a.smi", "CCO ethanol\nC methane gas\n")) == [("CCO", "ethanol", 1, ""), ("C", "methane gas", 2, "")]
    assert rows(write(tmp_path / "b.smi", "smiles name\nCCO ethanol\n")) == [("CCO", "ethanol", 2, "")]
    assert rows(write(tmp_path / "c.smi", "CCO\tethanol\nC\tmethane\n")) == [("CCO", "ethanol", 1, ""), ("C", "methane", 2, "")]


def test_a_text_file_with_a_comma_header_is_a_table(tmp_path):
    # the layout of a QM9 excerpt: idx,smiles
    assert rows(write(tmp_path / "a.txt", "idx,smiles\n1,C\n2,N\n")) == [("C", "1", 2, ""), ("N", "2", 3, "")]


def test_a_csv_without_a_header_is_recognised(tmp_path):
    # as RDKit's WEHI library: quoted cells, no header line
    assert rows(write(tmp_path / "a.csv", '"c1ccccc1O","WEHI-1"\n"CCO","WEHI-2"\n')) == [("c1ccccc1O", "WEHI-1", 1, ""), ("CCO", "WEHI-2", 2, "")]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_delimiter_of_a_csv_is_found(tmp_path, mark):
    assert rows(write(tmp_path / "a.csv", f"id{mark}SMILES\n1{mark}CCO\n")) == [("CCO", "1", 2, "")]


def test_a_cxsmiles_extension_is_dropped_and_the_name_kept(tmp_path):
    assert rows(write(tmp_path / "a.smi", "C[C@H](N)O |o1:1,r| compound 1\nCC |$a;b$|\n")) == [("C[C@H](N)O", "compound 1", 1, ""), ("CC", "2", 2, "")]


def test_an_unknown_ending_lists_the_formats(tmp_path):
    with pytest.raises(DatasetError, match=r"\.sdf"):
        rows(write(tmp_path / "a.xlsx", ""))


# ---- strings stay strings


def test_t18_names_and_ids_survive_a_round_trip(tmp_path):
    names = ["NA", "nan", "NULL", "None", "00123", "1e5", "-001", "+7", "1,000", 'say "x"', "two\nlines", " padded ", "#1", "β-lactam", "true"]
    smiles = ["C#N"] * len(names)
    for ending in ("csv", "tsv", "csv.gz", "parquet"):
        path = write_table(tmp_path / f"a.{ending}", {"smiles": smiles, "name": names})
        assert read_table(path).columns == {"smiles": smiles, "name": names}, ending


def test_t18_a_nitrile_is_no_comment(tmp_path):
    assert rows(write(tmp_path / "a.csv", "smiles\nCC#N\n"))[0][0] == "CC#N"


# ---- damaged files


def test_an_unbalanced_quote_costs_its_own_row_only(tmp_path):
    text = 'smiles,name\nCCO,"ethanol\nC,methane\nCC,ethane\nN,"ammonia"\n'
    got = rows(write(tmp_path / "a.csv", text))
    assert [(row[0], row[3]) for row in got] == [("CCO", "E_RECORD"), ("C", ""), ("CC", ""), ("N", "")]
    assert [row[2] for row in got] == [2, 3, 4, 5]


def test_two_stray_quotes_do_not_swallow_the_rows_between_them(tmp_path):
    text = 'smiles,name\nCCO,"ethanol\nC,methane\nCC,"ethane\nN,ammonia\n'
    assert [(row[0], row[3]) for row in rows(write(tmp_path / "a.csv", text))] == [("CCO", "E_RECORD"), ("C", ""), ("CC", "E_RECORD"), ("N", "")]


def test_an_inch_mark_is_no_open_quote(tmp_path):
    assert rows(write(tmp_path / "a.csv", 'smiles,name\nCCO,5" pipe\nC,x\n')) == [("CCO", '5" pipe', 2, ""), ("C", "x", 3, "")]


def test_a_quoted_cell_may_run_over_lines_and_blocks(tmp_path, monkeypatch):
    text = "smiles,name\n" + "".join(f'CCO,"first {k}\nsecond, {k}"\nC,plain {k}\n' for k in range(50))
    from drugai.molecules import sources

    for size in (1 << 20, 97):
        monkeypatch.setattr(sources, "BLOCK", size)
        got = rows(write(tmp_path / "a.csv", text))
        assert len(got) == 100
        assert got[2][:3] == ("CCO", "first 1\nsecond, 1", 5)
        assert {row[3] for row in got} == {""}


def test_a_row_with_too_many_cells_is_e_record_and_a_short_one_is_filled(tmp_path):
    got = rows(write(tmp_path / "a.csv", "name,smiles\na,b,CCO\nx\ny,C,\n"))
    assert [(row[0], row[3]) for row in got] == [("b", "E_RECORD"), ("", ""), ("C", "")]


def test_a_cell_of_megabytes_is_e_record_and_the_reading_goes_on(tmp_path):
    text = 'smiles,name\nCCO,"' + "x" * 200_000 + '"\n' + "C" * 11_000_000 + ",long\nC,methane\n"
    got = rows(write(tmp_path / "a.csv", text))
    assert [row[3] for row in got] == ["E_RECORD", "E_RECORD", ""]
    assert got[2][:2] == ("C", "methane")
    assert all(len(row[0]) <= 100 for row in got)


def test_t1_a_long_line_passes_the_reader_and_is_refused_by_the_caps(tmp_path):
    path = write(tmp_path / "a.smi", "CCO a\n" + "C" * 20_000 + " b\nC c\n")
    (chunk,) = read_library(path)
    assert [code_of(why) for why in chunk.batch().reasons] == ["", "E_TOO_LONG", ""]


def test_nul_bytes_reach_the_check_of_characters(tmp_path):
    (chunk,) = read_library(write(tmp_path / "a.csv", "smiles,id\nC\0C,1\nCC,2\n"))
    assert [code_of(why) for why in chunk.batch().reasons] == ["E_CHARSET", ""]


def test_blank_lines_within_one_column_are_rows_and_at_the_end_are_not(tmp_path):
    assert [row[0] for row in rows(write(tmp_path / "a.smi", "C\n\nCC\n\n\n"))] == ["C", "", "CC"]
    assert [row[0] for row in rows(write(tmp_path / "a.csv", "smiles\nC\n\nCC\n\n"))] == ["C", "", "CC"]
    assert [row[0] for row in rows(write(tmp_path / "b.csv", "smiles,y\nC,1\n\nCC,2\n"))] == ["C", "CC"]  # as every CSV reader has it
    assert [row[0] for row in rows(write(tmp_path / "c.smi", "C\n  \nCC\n"))] == ["C", "", "CC"]


def test_t19_a_truncated_gzip_keeps_its_rows_and_reports_the_break_in_place(tmp_path, caplog):
    import random

    rng = random.Random(1)
    lines = ["C" * rng.randrange(1, 30) + f" id{k}" for k in range(20_000)]
    packed = gzip.compress("\n".join(lines).encode())
    path = tmp_path / "a.smi.gz"
    path.write_bytes(packed[: len(packed) // 2])
    got = rows(path)
    assert [f"{row[0]} {row[1]}" for row in got[:-1]] == lines[: len(got) - 1]
    assert got[-1][3] == "E_RECORD"
    assert "breaks off" in caplog.text
    assert count_molecules(path) == len(got)


def test_a_duplicate_header_keeps_both_columns(tmp_path, caplog):
    table = read_table(write(tmp_path / "a.csv", "smiles,y,y,\nC,1,2,3\n"))
    assert table.columns == {"smiles": ["C"], "y": ["1"], "y_2": ["2"], "column_4": ["3"]}
    assert "occurs twice" in caplog.text


def test_an_empty_file_has_no_molecules(tmp_path):
    assert rows(write(tmp_path / "a.smi", "")) == []
    assert count_molecules(write(tmp_path / "b.smi", "\n\n")) == 0


# ---- columns


def test_a_missing_column_names_the_nearest_and_all(tmp_path):
    path = write(tmp_path / "a.csv", "SMILES,pIC50\nC,1\n")
    with pytest.raises(DatasetError, match=r"no column 'SMILE'; did you mean 'SMILES'\? the columns are: SMILES, pIC50"):
        read_library(path, smiles="SMILE")
    with pytest.raises(DatasetError, match="pIC50"):
        read_library(path, keep_columns=["pIC5"])
    with pytest.raises(DatasetError, match="no column is named like SMILES"):
        read_library(write(tmp_path / "b.csv", "a,b\n1,2\n"))


@pytest.mark.parametrize(
    ("names", "smiles", "ids"),
    [
        (["Drug_ID", "Drug", "Y"], "Drug", "Drug_ID"),  # TDC
        (["num", "name", "p_np", "smiles"], "smiles", "name"),  # BBBP
        (["canonical_smiles", "molregno", "mol_chembl_id"], "canonical_smiles", "mol_chembl_id"),
        (["drug_id", "smiles", "smiles_source"], "smiles", "drug_id"),
        (["CMPD_CHEMBLID", "exp", "smiles"], "smiles", "CMPD_CHEMBLID"),
        (["Compound SMILES", "y"], "Compound SMILES", None),
        (["a", "b"], None, None),
    ],
)
def test_columns_are_inferred_by_name(names, smiles, ids):
    assert infer_smiles_column(names) == smiles
    assert infer_id_column(names, smiles) == ids


def test_further_columns_are_handed_on_as_strings(tmp_path):
    path = write(tmp_path / "a.csv", "smiles,y,note\nC,1.50,NA\nCC,,x\n")
    (chunk,) = read_library(path, keep_columns=["note", "y"])
    assert chunk.columns == {"note": ["NA", "x"], "y": ["1.50", ""]}
    (chunk,) = read_library(path, keep_columns=["*"])
    assert list(chunk.columns) == ["y", "note"]
    assert column_names(path) == ("smiles", "y", "note")


# ---- ranges


@pytest.mark.parametrize("ending", ["smi", "csv", "csv.gz", "sdf", "parquet"])
def test_any_range_gives_the_same_rows_however_it_is_cut(tmp_path, ending):
    smiles = ["C" * (1 + k % 9) + "O" * (k % 2) for k in range(100)]
    path = write_table(tmp_path / f"a.{ending}", {"smiles": smiles, "id": [f"m{k}" for k in range(100)]})
    index = index_library(path, every=7)
    index = LibraryIndex.from_dict(json.loads(json.dumps(index.to_dict())))
    assert index.records == 100
    whole = rows(path)
    for start, stop in ((0, 100), (0, 1), (6, 8), (7, 14), (50, 93), (99, 100), (100, 100), (30, None)):
        for given in (None, index):
            assert rows(path, start=start, stop=stop, index=given, chunk=11) == whole[start:stop], (start, stop)


def test_an_index_enters_a_file_whose_records_run_over_lines(tmp_path):
    path = write(tmp_path / "a.csv", "\ufeffsmiles,name\n" + "".join(f'{"C" * (k % 5 + 1)},"n\n{k}é"\n' for k in range(60)))
    index = index_library(path, every=10)
    assert len(index.offsets) == 6
    whole = rows(path)
    assert [row[1] for row in whole] == [f"n\n{k}é" for k in range(60)]
    assert rows(path, start=35, stop=45, index=index) == whole[35:45]


def test_a_stale_index_is_refused(tmp_path):
    path = write(tmp_path / "a.smi", "C\nCC\n")
    index = index_library(path)
    write(path, "C\nCC\nCCC\n")
    with pytest.raises(DatasetError, match="index it again"):
        read_library(path, index=index)


def test_chunks_have_the_size_asked_for_and_know_their_start(tmp_path):
    path = write(tmp_path / "a.smi", "C\n" * 25)
    chunks = list(read_library(path, chunk=10, start=2))
    assert [(chunk.start, len(chunk)) for chunk in chunks] == [(2, 10), (12, 10), (22, 3)]
    assert chunks[1].ids[0] == "13"
    with pytest.raises(ConfigError):
        read_library(path, start=5, stop=2)


def test_a_damaged_record_keeps_its_reason_in_any_range(tmp_path):
    path = write(tmp_path / "a.csv", "smiles,n\n" + "".join("C,1,2\n" if k % 10 == 3 else "C,1\n" for k in range(40)))
    got = rows(path, start=5, stop=35, chunk=4)
    assert [k + 5 for k, row in enumerate(got) if row[3]] == [13, 23, 33]


def test_the_fast_and_the_careful_way_read_alike(tmp_path, monkeypatch):
    text = "smiles,name,y\n" + "".join(f'C{"C" * (k % 7)},"name, {k}",{k}\n' if k % 3 else f"N,plain {k},{k}\n" for k in range(200))
    fast = rows(write(tmp_path / "a.csv", text))
    monkeypatch.setattr(delimited, "_read_block", delimited._read_carefully)
    assert rows(tmp_path / "a.csv") == fast


def test_a_file_that_is_not_parquet_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="not a Parquet file"):
        read_library(write(tmp_path / "a.parquet", "smiles\nC\n"))
    with pytest.raises(DatasetError, match="does not exist"):
        read_library(tmp_path / "b.parquet")
