"""What is kept between queries gives the numbers that are computed afresh."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.linking.components import COMPONENTS, Memory, MemoryConfig, term_scores
from drugai.linking.encoding import encode_disease_texts, encode_diseases, encode_drugs, encode_texts
from drugai.linking.kernels import Structures
from drugai.linking.remembering import RememberingMemory, TermTable
from drugai.linking.views import Knowledge
from drugai.molecules import tanimoto


@pytest.fixture(scope="module")
def known(primer, encoder) -> Knowledge:
    labels = np.zeros((len(primer.drugs), len(primer.diseases)), dtype=bool)
    for pair in primer.pairs():
        labels[pair] = True
    trials = np.random.default_rng(0).random(labels.shape) < 0.01
    return Knowledge(encode_drugs(primer.drugs, encoder), encode_diseases(primer.diseases, encoder), labels, trials)


def test_an_unseen_drug_and_a_known_one_score_as_in_a_memory_that_keeps_nothing(known: Knowledge, encoder):
    plain, kept = Memory(known, MemoryConfig()), RememberingMemory(known, MemoryConfig())
    columns = np.arange(len(known.diseases.texts))
    text = encode_texts(["Blocks the angiotensin receptor, antihypertensive"], encoder, bits=known.drugs.fingerprints[[3]])
    for drug, rows in ((text, np.array([-1])), (known.drugs.take([7]), np.array([7]))):
        for _ in range(2):  # the second time from what was kept
            for name, matrix in kept.score(drug, known.diseases, rows, columns).items():
                assert np.allclose(matrix, plain.score(drug, known.diseases, rows, columns, only={name})[name], atol=1e-6), name


def test_an_unseen_disease_and_a_known_one_score_as_in_a_memory_that_keeps_nothing(known: Knowledge, encoder):
    plain, kept = Memory(known, MemoryConfig()), RememberingMemory(known, MemoryConfig())
    rows = np.arange(len(known.drugs.texts))
    texts = encode_disease_texts(["Uric acid crystals in a joint", "too high pressure of blood"], encoder)
    for disease, columns in ((texts, np.array([-1, -1])), (known.diseases.take([5]), np.array([5]))):
        found = kept.score(known.drugs, disease, rows, columns)
        assert set(found) == set(COMPONENTS) - {"towers"}
        for name, matrix in found.items():
            assert np.allclose(matrix, plain.score(known.drugs, disease, rows, columns, only={name})[name], atol=1e-6), name


def test_terms_held_once_score_as_terms_held_by_each_drug(known: Knowledge):
    table = TermTable(known.drugs)
    for best in (1, 3):
        assert np.allclose(table.scores(known.diseases, best), term_scores(known.drugs, known.diseases, best), atol=1e-6)


def test_packed_structures_have_the_tanimoto_similarity_of_the_molecules_room(known: Knowledge):
    bits = known.drugs.fingerprints
    assert not bits.sum(axis=1).all()  # some have no structure: they resemble nothing
    assert np.array_equal(Structures(bits).to(bits[:40]), tanimoto(bits[:40], bits))
