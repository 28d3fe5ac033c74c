import csv

import numpy as np
import pytest

from drugai.errors import DatasetError
from drugai.predictors import MeanConfig
from drugai.predictors.streaming import predict_file
from drugai.training.fit import fit_on


@pytest.fixture(scope="module")
def model(activity, parts):
    return fit_on(MeanConfig(), activity.take(parts.train), activity.take(parts.valid))


def hundred_rows(activity):
    """100 compounds of which five cannot be used: unclosed ring, nothing, Cyrillic С, five bonds at carbon, 3,000 characters."""
    bad = {10: "c1ccccc", 20: "", 30: "CС", 40: "C(C)(C)(C)(C)C", 50: "C" * 3000}
    return [bad.get(row, smi) for row, smi in enumerate(activity.smiles[:100])]


@pytest.mark.parametrize("chunk", [7, 1000])
def test_a_hundred_rows_come_out_five_of_them_with_a_reason(model, activity, tmp_path, chunk):
    smiles = hundred_rows(activity)
    with open(tmp_path / "mine.csv", "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["name", "SMILES"])
        writer.writerows([f"00{row}", smi] for row, smi in enumerate(smiles))
    summary = predict_file(model, tmp_path / "mine.csv", tmp_path / "out.csv", smiles="SMILES", chunk=chunk)
    assert summary.n == 100
    assert summary.n_errors == 5
    assert summary.reasons == {"E_PARSE": 2, "E_EMPTY": 1, "E_CHARSET": 1, "E_TOO_LONG": 1}
    with open(tmp_path / "out.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["smiles"] for row in rows] == smiles
    assert rows[3]["id"] == "003"
    assert [bool(row["reason"]) for row in rows] == [row in (10, 20, 30, 40, 50) for row in range(100)]
    assert all((row["pActivity"] == "") == bool(row["reason"]) for row in rows)


def test_parquet_holds_the_same_rows(model, activity, tmp_path):
    import pyarrow.parquet as pq

    (tmp_path / "lib.smi").write_text("\n".join(hundred_rows(activity)) + "\n")
    predict_file(model, tmp_path / "lib.smi", tmp_path / "out.parquet", chunk=30)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.num_rows == 100
    assert np.isnan(table["pActivity"].to_numpy()).sum() == 5


def test_a_missing_column_names_the_columns_there_are(model, tmp_path):
    (tmp_path / "mine.csv").write_text("name,SMILES\na,CCO\n")
    with pytest.raises(DatasetError, match="SMILES"):
        predict_file(model, tmp_path / "mine.csv", tmp_path / "out.csv", smiles="SMILE")
    assert not (tmp_path / "out.csv").exists()


def test_an_empty_library_gives_a_table_with_a_header(model, tmp_path):
    (tmp_path / "mine.csv").write_text("name,SMILES\n")
    assert predict_file(model, tmp_path / "mine.csv", tmp_path / "out.csv").n == 0
    assert (tmp_path / "out.csv").read_text() == "id,smiles,pActivity,reason\n"
