"""A damaged SDF record costs itself and no other."""

from rdkit import Chem

from drugai.errors import code_of
from drugai.molecules.reading import column_names, read_library, read_table


def block(smi: str, title: str = "") -> str:
    return title + "\n" + Chem.MolToMolBlock(Chem.MolFromSmiles(smi)).split("\n", 1)[1]


def rows(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return [row for chunk in read_library(path) for row in zip(chunk.smiles, chunk.ids, map(code_of, chunk.reasons), strict=True)]


ETHANOL, BENZENE, GLYCINE = block("CCO", "ethanol"), block("c1ccccc1", "benzene"), block("NCC(=O)O", "glycine")


def test_titles_properties_and_lines(tmp_path):
    path = tmp_path / "a.sdf"
    path.write_text(f"{ETHANOL}> <pIC50>\n5.5\n\n>  25  <note> (x)\ntwo\nlines\n\n$$$$\n{BENZENE}$$$$\n")
    assert column_names(path) == ("smiles", "id", "pIC50", "note")
    table = read_table(path)
    assert table.columns == {"smiles": ["CCO", "c1ccccc1"], "id": ["ethanol", "benzene"], "pIC50": ["5.5", ""], "note": ["two\nlines", ""]}
    assert table.lines[0] == 1


def test_a_missing_dollar_line_loses_no_molecule(tmp_path):
    got = rows(tmp_path / "a.sdf", ETHANOL + BENZENE + "$$$$\n" + GLYCINE)  # RDKit's supplier gives one molecule
    assert got == [("CCO", "ethanol", ""), ("c1ccccc1", "benzene", ""), ("NCC(=O)O", "glycine", "")]


def test_a_lying_counts_line_is_e_record_and_the_next_record_is_read(tmp_path):
    for lie in ("  9  2", "  1  2", "  3  1", "999999"):
        lines = ETHANOL.split("\n")
        lines[3] = lie + lines[3][6:]
        got = rows(tmp_path / "a.sdf", "\n".join(lines) + "$$$$\n" + BENZENE + "$$$$\n")
        assert got == [("", "ethanol", "E_RECORD"), ("c1ccccc1", "benzene", "")], lie


def test_a_latin1_property_is_read(tmp_path):
    data = ETHANOL.encode() + "> <name>\ncafé\n\n$$$$\n".encode("latin-1") + BENZENE.encode() + b"$$$$\n"
    (tmp_path / "a.sdf").write_bytes(data)
    assert read_table(tmp_path / "a.sdf").columns["name"] == ["café", ""]


def test_windows_line_ends_are_read(tmp_path):
    assert rows(tmp_path / "a.sdf", (ETHANOL + "$$$$\n" + BENZENE + "$$$$\n").replace("\n", "\r\n")) == [("CCO", "ethanol", ""), ("c1ccccc1", "benzene", "")]


def test_a_mol_block_that_breaks_chemistry_is_e_parse(tmp_path):
    # carbon with five single bonds: a counts line that is true and a valence that is not
    bad = Chem.MolToMolBlock(Chem.MolFromSmiles("C(C)(C)(C)(C)C", sanitize=False), kekulize=False)
    got = rows(tmp_path / "a.sdf", bad + "$$$$\n" + BENZENE + "$$$$\n")
    assert [row[2] for row in got] == ["E_PARSE", ""]


def test_rubbish_and_short_records_are_e_record(tmp_path):
    got = rows(tmp_path / "a.sdf", "rubbish\n$$$$\n" + BENZENE + "$$$$\nx\ny\nz\nno counts\n$$$$\n")
    assert [row[2] for row in got] == ["E_RECORD", "", "E_RECORD"]


def test_a_v3000_index_of_four_billion_is_e_record(tmp_path):
    good = Chem.MolToV3KMolBlock(Chem.MolFromSmiles("CCO"))
    bad = good.replace("M  V30 1 C", "M  V30 4000000000 C", 1)
    many = good.replace("COUNTS 3 2", "COUNTS 4000000000 2")
    got = rows(tmp_path / "a.sdf", bad + "$$$$\n" + many + "$$$$\n" + good + "$$$$\n")
    assert [row[2] for row in got] == ["E_RECORD", "E_RECORD", ""]


def test_a_molecule_beyond_the_caps_keeps_its_row(tmp_path):
    chain = Chem.MolToMolBlock(Chem.MolFromSmiles("C" * 600))
    assert [row[2] for row in rows(tmp_path / "a.sdf", chain + "$$$$\n" + BENZENE)] == ["E_TOO_LARGE", ""]


def test_an_endless_record_is_refused_with_little_memory(tmp_path, monkeypatch):
    from drugai.molecules import sdf

    monkeypatch.setattr(sdf, "RECORD_CAP", 10_000)
    got = rows(tmp_path / "a.sdf", ETHANOL + "> <x>\n" + "y" * 200 * 100 + "\n\n$$$$\n" + BENZENE + "$$$$\n")
    assert [row[2] for row in got] == ["E_RECORD", ""]
