"""Rows of tokens: what is read comes back, what the vocabulary lacks is named, other spellings are the same molecule."""

import numpy as np
import pytest
from rdkit import Chem

from drugai.errors import DatasetError
from drugai.featurizers.enumeration import enumerate_smiles, respell
from drugai.featurizers.molecule_store import MoleculeStore, build_store
from drugai.featurizers.sequences import VocabularyReader, batches_by_length, pad_rows, reader_from_text
from drugai.featurizers.tokens import Vocabulary

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
NICOTINE = "CN1CCC[C@H]1c1cccnc1"
EBSELEN = "O=c1c2ccccc2[se]n1-c1ccccc1"


def test_a_token_that_the_vocabulary_lacks_is_named():
    reader = VocabularyReader.of([ASPIRIN])
    found = reader.read([ASPIRIN, "[U]CC", "", EBSELEN])
    assert found.reasons[0] == ""
    assert found.reasons[1] == "E_FEATURIZE: the encoder's vocabulary has no token [U]"
    assert found.reasons[2].startswith("E_EMPTY")
    assert found.lengths[1] == 0
    assert reader.extended(["[U]CC"]).read(["[U]CC"]).reasons == ("",)


def test_a_reader_is_the_same_after_its_text():
    reader = VocabularyReader.of([ASPIRIN])
    again = reader_from_text(reader.to_text())
    assert np.array_equal(reader.read([NICOTINE]).flat, again.read([NICOTINE]).flat)
    assert (again.pad, again.mask, again.size) == (reader.pad, reader.mask, reader.size)


def test_a_tokenizer_of_the_tokenizers_library_names_what_it_lacks_too():
    from drugai.featurizers.sequences import TokenizerReader

    text = Vocabulary.from_corpus([ASPIRIN]).to_transformers().backend_tokenizer.to_str()
    reader = TokenizerReader(text, pad=0, mask=None, unknown=3, longest=30)
    found = reader.read([ASPIRIN, NICOTINE, "C" * 40])
    assert found.reasons[0] == ""
    assert found.row(0)[[0, -1]].tolist() == [1, 2]  # <bos> and <eos>, which this tokenizer adds
    assert "no token N, [C@H], n" in found.reasons[1]
    assert "42 tokens; the encoder reads 30" in found.reasons[2]
    assert np.array_equal(reader_from_text(reader.to_text()).read([ASPIRIN]).flat, found.row(0))


def test_spellings_are_the_same_molecule_and_depend_on_it_and_the_seed_alone():
    found = enumerate_smiles([ASPIRIN, "c1ccccc", NICOTINE], 5, seed=3)
    assert [len(row) for row in found] == [5, 0, 5]
    assert {Chem.CanonSmiles(smi) for smi in found[0]} == {Chem.CanonSmiles(ASPIRIN)}
    assert {Chem.CanonSmiles(smi) for smi in found[2]} == {Chem.CanonSmiles(NICOTINE)}
    assert len(set(found[2])) > 2
    assert enumerate_smiles(["c1ccc(OC(C)=O)c(c1)C(O)=O"], 5, seed=3)[0] == found[0]  # aspirin written otherwise
    assert enumerate_smiles([ASPIRIN], 5, seed=4)[0] != found[0]
    mol = Chem.MolFromSmiles(ASPIRIN)
    assert respell([mol, mol], [7, 7])[0] == respell([mol], [7])[0]


def test_padded_rows_and_batches_hold_every_molecule_once_within_the_budget():
    reader = VocabularyReader.of([ASPIRIN, NICOTINE])
    encoded = reader.read([ASPIRIN, "C", "c1ccccc", NICOTINE, "CCO"])
    block = pad_rows(encoded, np.array([1, 0]), reader.pad)
    assert block.shape == (2, 22)
    assert block[0, 2:].tolist() == [reader.pad] * 20
    batches = list(batches_by_length(np.array([5, 0, 9, 2, 40, 3]), budget=18))
    assert sorted(np.concatenate(batches).tolist()) == [0, 2, 3, 4, 5]
    assert all(len(rows) * max([5, 0, 9, 2, 40, 3][row] for row in rows) <= 18 or len(rows) == 1 for rows in batches)


def test_a_store_counts_what_it_leaves_out_and_is_opened_again(tmp_path):
    (tmp_path / "a.smi").write_text(f"{ASPIRIN}\nc1ccccc\n{ASPIRIN}\n{NICOTINE}\n{'C' * 300}\n")
    (tmp_path / "b.csv").write_text(f"name,SMILES\nx,{EBSELEN}\ny,CCO\nz,CCN\n")
    store = build_store([tmp_path / "a.smi", tmp_path / "b.csv"], tmp_path / "store", limit=2)
    assert store.sources[0] == {"file": "a.smi", "rows": 4, "kept": 2, "left_out": {"E_PARSE": 1, "repeat": 1}}
    assert store.sources[1] == {"file": "b.csv", "rows": 2, "kept": 2, "left_out": {}}
    assert MoleculeStore.open(tmp_path / "store").smiles([3, 0]) == ["CCO", ASPIRIN]
    (tmp_path / "bad.smi").write_text("c1ccccc\n")
    with pytest.raises(DatasetError, match="no readable molecule"):
        build_store([tmp_path / "bad.smi"], tmp_path / "other")
