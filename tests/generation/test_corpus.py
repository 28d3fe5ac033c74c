"""The encoded corpus: nothing lost, batches a function of (seed, pass), little padding."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.errors import DatasetError
from drugai.featurizers.tokens import BOS, EOS, PAD
from drugai.generation.corpus import Corpus, bucketed, encode_corpus

ALKANOLS = ["C" * length + "O" for length in range(1, 61)]


def test_a_corpus_gives_its_molecules_back():
    corpus = encode_corpus(ALKANOLS)
    assert corpus.smiles(range(60)) == ALKANOLS
    assert corpus.n_tokens == sum(len(smi) + 1 for smi in ALKANOLS)


def test_what_cannot_be_used_is_counted_and_listed():
    corpus = encode_corpus([*ALKANOLS, "", "C" * 490 + "O", "C[Zz]CO"], longest=100)  # the last has no element
    assert "[Zz]" not in corpus.vocabulary
    assert len(corpus) == 60
    assert corpus.n_rejected == 3
    assert [(row, why.partition(":")[0]) for row, _, why in corpus.rejected] == [(60, "E_EMPTY"), (61, "E_TOO_LONG"), (62, "E_PARSE")]
    assert len(encode_corpus([*ALKANOLS, "C1CCO"], check=False)) == 61


@pytest.mark.parametrize("smiles", [[], ["CCO"] * 49])
def test_a_tiny_corpus_is_refused_with_the_least_size(smiles):
    with pytest.raises(DatasetError, match="at least 50"):
        encode_corpus(smiles)


def test_a_saved_corpus_is_the_same(tmp_path):
    corpus = encode_corpus(ALKANOLS)
    read = Corpus.load(corpus.save(tmp_path / "corpus"))
    assert read.smiles(range(60)) == ALKANOLS
    assert read.vocabulary == corpus.vocabulary
    with pytest.raises(DatasetError, match=r"corpus\.json"):
        Corpus.load(tmp_path)


def test_a_batch_is_framed_and_padded():
    corpus = encode_corpus(ALKANOLS)
    block = corpus.batch(np.array([1, 0]))  # CCO and CO
    assert block[:, 0].tolist() == [BOS, BOS]
    assert block[0, -1] == EOS
    assert block[1].tolist()[-2:] == [EOS, PAD]


def test_each_pass_holds_every_molecule_once_in_an_order_of_its_own():
    lengths = np.arange(1000) % 40 + 5
    first = list(bucketed(lengths, 32, 0, 0))
    assert sorted(np.concatenate(first).tolist()) == list(range(1000))
    assert all(np.array_equal(a, b) for a, b in zip(first, bucketed(lengths, 32, 0, 0), strict=True))
    assert not np.array_equal(np.concatenate(first), np.concatenate(list(bucketed(lengths, 32, 0, 1))))


def test_buckets_leave_little_padding():
    lengths = np.random.default_rng(0).integers(20, 55, 20_000)
    padded = sum(len(rows) * lengths[rows].max() for rows in bucketed(lengths, 64, 0, 0))
    assert padded / lengths.sum() < 1.03
