"""SMILES and SELFIES tokens: exact round trips, unknown tokens named, the same ids in transformers."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from drugai.errors import ConfigError, MoleculeError
from drugai.featurizers.tokens import BOS, EOS, PAD, UNK, Vocabulary, split_smiles

HARD = (
    "CC(=O)Oc1ccccc1C(=O)O",  # aspirin
    "C[C@@H](N)C(=O)O",  # L-alanine
    "F/C=C/F",  # trans-difluoroethene
    "[18F]CC[N+](C)(C)C",  # an isotope and a charge
    "[O-][N+](=O)c1ccc(Cl)cc1Br",  # two-letter elements beside aromatic c
    "C1CC%10CC%(123)CCC1CCC%10CCC%(123)",  # ring numbers above 9, both ways to write them
    "[Na+].[Cl-]",  # sodium chloride
    "*c1ccc([*:1])cc1",  # attachment points
    "CP(=O)(O)O",
    "OB(O)c1ccccc1",
    "[2H]C([2H])([2H])I",
    "C[Si](C)(C)C$C",
    "c1cc[se]c1",
)


@pytest.mark.parametrize("smi", HARD)
def test_tokens_joined_give_back_the_string(smi):
    assert "".join(split_smiles(smi)) == smi
    vocabulary = Vocabulary.from_corpus(HARD)
    assert vocabulary.decode(vocabulary.encode(smi)) == smi


def test_two_letter_elements_brackets_and_ring_numbers_are_one_token():
    assert split_smiles("[nH]1Cl%12Br%(123)C") == ["[nH]", "1", "Cl", "%12", "Br", "%(123)", "C"]
    assert split_smiles("CCn1cccc1") == ["C", "C", "n", "1", "c", "c", "c", "c", "1"]


def test_many_are_encoded_as_one_by_one():
    vocabulary = Vocabulary.from_corpus(HARD)
    encoded = vocabulary.encode_many(HARD)
    slow = [[vocabulary.tokens.index(token) for token in split_smiles(smi)] + [EOS] for smi in HARD]
    assert [encoded.row(row).tolist() for row in range(len(HARD))] == slow
    assert encoded.flat.dtype == np.uint8
    assert encoded.lengths.tolist() == [len(ids) for ids in slow]


def test_a_molecule_that_cannot_be_spelled_keeps_its_row_and_names_its_tokens():
    vocabulary = Vocabulary.from_corpus(["CCO"])
    encoded = vocabulary.encode_many(["CCO", "C[NH3+]", "", "OCC", "CСO", "CC\nO", "BrC[NH3+]"])  # the fifth has a Cyrillic letter
    assert encoded.lengths.tolist() == [4, 0, 0, 4, 0, 0, 0]
    assert encoded.reasons[0] == encoded.reasons[3] == ""
    assert "[NH3+]" in encoded.reasons[1]
    assert encoded.reasons[1].startswith("E_FEATURIZE")
    assert encoded.reasons[2].startswith("E_EMPTY")
    assert encoded.reasons[4].startswith("E_CHARSET")
    assert encoded.reasons[5].startswith("E_CHARSET")
    assert vocabulary.unknown("BrC[NH3+]") == ["Br", "[NH3+]"]
    assert vocabulary.decode(encoded.row(3)) == "OCC"
    with pytest.raises(MoleculeError, match="Cl"):
        vocabulary.encode("CCl")


def test_extending_keeps_the_old_ids():
    vocabulary = Vocabulary.from_corpus(["CCO"])
    extended = vocabulary.extended(["CCBr", "CCO", "C[nH]"])
    assert extended.tokens[: len(vocabulary)] == vocabulary.tokens
    assert set(extended.tokens[len(vocabulary) :]) == {"Br", "[nH]"}
    assert extended.decode(extended.encode("CCBr")) == "CCBr"


def test_a_vocabulary_of_more_than_256_tokens_uses_two_bytes():
    isotopes = [f"[{mass}C]" for mass in range(300)]
    vocabulary = Vocabulary.from_corpus(isotopes)
    encoded = vocabulary.encode_many(isotopes)
    assert encoded.flat.dtype == np.uint16
    assert [vocabulary.decode(encoded.row(row)) for row in range(300)] == isotopes


def test_selfies_round_trip_gives_the_same_molecule():
    from rdkit import Chem

    aspirin = "CC(=O)Oc1ccccc1C(=O)O"
    vocabulary = Vocabulary.from_corpus([aspirin], "selfies")
    decoded = vocabulary.decode(vocabulary.encode(aspirin))
    assert Chem.CanonSmiles(decoded) == Chem.CanonSmiles(aspirin)
    assert "[=Branch1]" in vocabulary
    assert vocabulary.encode_many(["c1ccccc", aspirin]).reasons[0].startswith("E_FEATURIZE")  # an unclosed ring


def test_a_vocabulary_survives_json_and_pickle():
    vocabulary = Vocabulary.from_corpus(HARD)
    assert Vocabulary.from_dict(vocabulary.to_dict()) == vocabulary
    assert pickle.loads(pickle.dumps(vocabulary)).encode("CCO").tolist() == vocabulary.encode("CCO").tolist()


def test_a_vocabulary_without_its_special_tokens_is_refused():
    with pytest.raises(ConfigError, match="<pad>"):
        Vocabulary(("C", "O"))
    with pytest.raises(ConfigError, match="more than once"):
        Vocabulary(("<pad>", "<bos>", "<eos>", "<unk>", "C", "C"))


def test_the_transformers_tokenizer_gives_the_same_ids():
    vocabulary = Vocabulary.from_corpus(HARD)
    tokenizer = vocabulary.to_transformers()
    for smi in HARD:
        ids = tokenizer(smi)["input_ids"]
        assert ids[0] == BOS
        assert ids[1:] == vocabulary.encode(smi).tolist()
        assert tokenizer.decode(ids, skip_special_tokens=True) == smi
    assert tokenizer.pad_token_id == PAD
    assert UNK in tokenizer("[U]C")["input_ids"]
