"""A ChEMBL export as it comes: units, relations, doubts, replicates, salts."""

import pytest

from drugai.data.curating import curate_chembl
from drugai.errors import DatasetError

HEADER = "Molecule ChEMBL ID;Smiles;Standard Type;Standard Relation;Standard Value;Standard Units;Data Validity Comment;Target ChEMBL ID\n"


def write(tmp_path, *rows, header=HEADER):
    path = tmp_path / "export.csv"
    path.write_text(header + "\n".join(rows) + "\n")
    return path


def test_units_become_pchembl_and_replicates_their_median(tmp_path):
    # aspirin at 10 uM, 20 uM and 0.00004 M: 5.00, 4.70 and 4.40; its sodium salt is the same molecule
    path = write(
        tmp_path,
        "CHEMBL25;CC(=O)Oc1ccccc1C(=O)O;IC50;'=';10;uM;;CHEMBL221",
        "CHEMBL25;CC(=O)Oc1ccccc1C(=O)O;IC50;'=';20000;nM;;CHEMBL221",
        "CHEMBL1697753;[Na+].CC(=O)Oc1ccccc1C(=O)[O-];IC50;'=';0.00004;M;;CHEMBL221",
    )
    found = curate_chembl(path)
    assert len(found.molecules) == 1
    assert found.molecules[0]["pchembl"] == pytest.approx(4.699, abs=1e-3)
    assert found.molecules[0]["n"] == 3
    assert found.molecules[0]["spread"] == pytest.approx(0.602, abs=1e-3)
    assert found.fates == ["kept"] * 3


def test_every_row_that_is_left_out_says_why(tmp_path):
    rows = {
        "A;CCO;IC50;'>';10;uM;;T": "E_VALUE: a bound and not a value (>)",
        "B;CCO;IC50;'=';10;uM;Outside typical range;T": "E_VALUE: doubted by ChEMBL (Outside typical range)",
        "C;CCO;IC50;'=';10;%;;T": "E_VALUE: units are no concentration (%)",
        "D;CCO;IC50;'=';0;nM;;T": "E_VALUE: the concentration is not above zero (0)",
        "E;CCO;IC50;'=';ten;nM;;T": "E_VALUE: the value is no number ('ten')",
        "F;CCO;Inhibition;'=';10;nM;;T": "another type of measurement",
        "G;CCO;IC50;'=';10;nM;;other": "another target",
        "H;c1ccccc;IC50;'=';10;nM;;T": "E_PARSE",
        "I;CCN;Ki;'=';1;nM;;T": "E_VALUE: replicates differ by more than 1 log units (2.00 over 2)",
        "J;CCN;Ki;'=';100;nM;;T": "E_VALUE: replicates differ by more than 1 log units (2.00 over 2)",
    }
    found = curate_chembl(write(tmp_path, *rows), targets=["T"])
    assert found.molecules == []
    assert len(found.places) == len(found.fates) == len(rows)
    for got, wanted in zip(found.fates, rows.values(), strict=True):
        assert got.startswith(wanted)
    assert sum(found.counts().values()) == len(rows)
    assert found.counts()["E_VALUE: replicates differ by more than 1 log units"] == 2


def test_types_and_targets_are_not_mixed(tmp_path):
    found = curate_chembl(write(tmp_path, "A;CCO;IC50;'=';10;nM;;T", "A;CCO;Ki;'=';1000;nM;;T", "A;CCO;IC50;'=';1;uM;;U"))
    assert sorted((row["type"], row["target"], row["pchembl"]) for row in found.molecules) == [("IC50", "T", 8.0), ("IC50", "U", 6.0), ("Ki", "T", 6.0)]


def test_the_programming_interface_has_other_names(tmp_path):
    header = "molecule_chembl_id,canonical_smiles,standard_type,standard_relation,standard_value,standard_units\n"
    assert curate_chembl(write(tmp_path, "A,CCO,IC50,=,100,nM", header=header)).molecules[0]["pchembl"] == 7.0


def test_a_file_that_is_no_export_names_what_is_missing(tmp_path):
    with pytest.raises(DatasetError, match="no column standard_type, standard_relation"):
        curate_chembl(write(tmp_path, "CCO,1", header="smiles,pIC50\n"))
    with pytest.raises(DatasetError, match="no concentrations"):
        curate_chembl(write(tmp_path), types=["Inhibition"])
