"""MoleculeBatch parses each string once, keeps every row and says why one cannot be read."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem, rdBase

from drugai.errors import DatasetError, code_of
from drugai.molecules import batch as batch_module
from drugai.molecules.batch import MoleculeBatch, parse_failure
from drugai.molecules.fingerprints import fingerprint

IBUPROFEN = "CC(C)Cc1ccc(cc1)C(C)C(=O)O"
CAFFEINE = "Cn1c(=O)c2c(ncn2C)n(C)c1=O"


def test_rows_in_are_rows_out_in_the_same_order():
    smiles = [IBUPROFEN, "", "c1ccccc", CAFFEINE, "[Mg+1000]"]
    batch = MoleculeBatch(smiles)
    assert batch.smiles == tuple(smiles)
    assert [code_of(why) for why in batch.reasons] == ["", "E_EMPTY", "E_PARSE", "", "E_CHARGE"]
    assert batch.valid.tolist() == [True, False, False, True, False]
    assert len(batch.mols) == len(batch) == 5


@pytest.mark.parametrize(
    ("smi", "words"),
    [
        ("c1ccccc", "unclosed ring"),
        ("c1cccc1", "Can't kekulize mol. Unkekulized atoms: 0 1 2 3 4"),
        ("C(C)(C)(C)(C)C", "Explicit valence for atom # 0 C, 5, is greater than permitted"),
        ("CC)", "extra close parentheses"),
        ("xx", "syntax error"),
    ],
)
def test_a_parse_failure_is_told_in_rdkits_words(smi, words):
    assert MoleculeBatch([smi]).reasons[0] == f"E_PARSE: {words}"


def test_parsing_prints_nothing_and_leaves_the_log_as_it_was(capfd):
    MoleculeBatch(["c1ccccc", "C(C)(C)(C)(C)C", "[H]"]).mols  # noqa: B018
    assert capfd.readouterr() == ("", "")
    Chem.MolFromSmiles("c1ccccc")
    assert "unclosed ring" in capfd.readouterr().err  # RDKit's own log is on, as before


def test_each_string_is_parsed_once(monkeypatch):
    calls = []
    original = batch_module._parse
    monkeypatch.setattr(batch_module, "_parse", lambda *arguments: calls.append(1) or original(*arguments))
    batch = MoleculeBatch([IBUPROFEN, CAFFEINE])
    assert not calls  # lazy
    batch.mols, batch.reasons, batch.valid, batch.canonical, fingerprint(batch)
    assert calls == [1]


def test_compute_keeps_the_first_value():
    batch = MoleculeBatch([IBUPROFEN])
    assert batch.compute("key", lambda b: [len(b)]) is batch.compute("key", lambda b: [0])


def test_of_takes_a_batch_as_it_is():
    batch = MoleculeBatch([IBUPROFEN])
    assert MoleculeBatch.of(batch) is batch
    assert MoleculeBatch.of([IBUPROFEN]).smiles == (IBUPROFEN,)


def test_one_string_in_place_of_a_sequence_is_refused():
    with pytest.raises(DatasetError, match="sequence"):
        MoleculeBatch(IBUPROFEN)


def test_a_trusted_batch_gives_the_same_graph_and_fingerprint():
    smiles = MoleculeBatch([IBUPROFEN, CAFFEINE, "C[C@H](N)C(=O)O", "c1ccc2[nH]ccc2c1", "O=[N+]([O-])c1ccccc1"]).canonical
    safe, trusted = MoleculeBatch(smiles), MoleculeBatch(smiles, trusted=True)
    np.testing.assert_array_equal(fingerprint(safe), fingerprint(trusted))
    assert trusted.canonical == safe.canonical
    for a, b in zip(safe.mols, trusted.mols, strict=True):
        np.testing.assert_array_equal(Chem.GetAdjacencyMatrix(a, useBO=True), Chem.GetAdjacencyMatrix(b, useBO=True))
        assert [atom.GetTotalNumHs() for atom in a.GetAtoms()] == [atom.GetTotalNumHs() for atom in b.GetAtoms()]
    assert [mol.GetRingInfo().NumRings() for mol in trusted.full_mols] == [1, 2, 0, 2, 1]


def test_a_trusted_batch_still_checks_the_caps():
    assert code_of(MoleculeBatch(["C" * 20_000], trusted=True).reasons[0]) == "E_TOO_LONG"
    assert code_of(MoleculeBatch(["C1CC"], trusted=True).reasons[0]) == "E_PARSE"


def test_a_reason_known_before_is_kept_and_the_row_not_parsed():
    batch = MoleculeBatch([IBUPROFEN, CAFFEINE], reasons=["", "E_RECORD: a quote is not closed"])
    assert batch.reasons == ("", "E_RECORD: a quote is not closed")
    assert batch.mols[1] is None
    with pytest.raises(DatasetError, match="1 reasons for 2"):
        MoleculeBatch([IBUPROFEN, CAFFEINE], reasons=[""])


def test_take_keeps_parsed_molecules():
    batch = MoleculeBatch([IBUPROFEN, "bad", CAFFEINE])
    batch.mols  # noqa: B018
    part = batch.take([2, 1])
    assert part.smiles == (CAFFEINE, "bad")
    assert part.mols[0] is batch.mols[2]
    assert code_of(part.reasons[1]) == "E_PARSE"


def test_only_strings_cross_a_process_boundary():
    batch = MoleculeBatch([IBUPROFEN, "bad"], trusted=True, reasons=["", "E_RECORD: x"])
    batch.mols  # noqa: B018
    copy = pickle.loads(pickle.dumps(batch))
    assert copy._mols is None
    assert (copy.smiles, copy.trusted, copy.reasons) == (batch.smiles, True, batch.reasons)


def test_an_empty_batch_has_no_rows():
    batch = MoleculeBatch([])
    assert (len(batch), batch.valid.shape, batch.canonical) == (0, (0,), ())


def test_failures_in_another_log_capture_are_not_lost():
    with rdBase.CaptureErrorLog():
        assert parse_failure("c1ccccc") == "unclosed ring"


def test_rows_taken_out_of_a_batch_bring_what_was_computed_of_it() -> None:
    batch = MoleculeBatch(["CCO", "c1ccccc1", "CC"])  # ethanol, benzene, ethane
    calls = []

    def sizes(of: MoleculeBatch) -> np.ndarray:
        calls.append(len(of))
        return np.array([mol.GetNumAtoms() for mol in of.mols])

    assert batch.compute("sizes", sizes).tolist() == [3, 6, 2]
    part = batch.take([2, 0]).take([1])
    assert part.compute("sizes", sizes).tolist() == [3]
    assert part.compute("other", sizes).tolist() == [3]
    assert calls == [3, 1]


def test_the_lean_reading_of_a_transient_batch_gives_the_graphs_of_the_full_one() -> None:
    from rdkit import RDConfig

    from drugai.featurizers.graphs import featurize_graphs

    # the first of NCI (some unreadable), and by hand: explicit hydrogens, isotopes, stereo, ions, five bonds at carbon, an aromatic ring that cannot be
    lines = Path(RDConfig.RDDataDir, "NCI", "first_5K.smi").read_text().splitlines()[:600]
    smiles = [line.split()[0] for line in lines if line.split()]
    smiles += ["[H]C([H])([H])O", "[2H]C", "[H][H]", "C[C@H](N)O", "F/C=C/F", "C[N+](C)(C)C.[Cl-]", "C(C)(C)(C)(C)C", "c1cccc1", "C[S@@](=O)N", "c1cc[nH]c1", "", "[Na+].[O-]C=O"]
    full, lean = featurize_graphs(MoleculeBatch(smiles)), featurize_graphs(MoleculeBatch(smiles, transient=True))
    assert full.reasons == lean.reasons
    for name in ("atoms", "ends", "bonds", "n_atoms", "n_bonds"):
        np.testing.assert_array_equal(getattr(full, name), getattr(lean, name))
