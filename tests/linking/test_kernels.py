"""Likeness of drugs and of diseases, terms against names, and letters: laws and hand arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from drugai.linking.components import Memory, MemoryConfig, term_scores
from drugai.linking.encoding import encode_disease_texts, encode_diseases, encode_drugs, encode_texts
from drugai.linking.kernels import DiseaseLikeness, DrugLikeness, KernelConfig
from drugai.linking.lexical import Letters, Lexicon
from drugai.linking.views import Knowledge, split_terms


@pytest.fixture(scope="module")
def known(primer, encoder) -> Knowledge:
    labels = np.zeros((len(primer.drugs), len(primer.diseases)), dtype=bool)
    for pair in primer.pairs():
        labels[pair] = True
    return Knowledge(encode_drugs(primer.drugs, encoder), encode_diseases(primer.diseases, encoder), labels)


def test_terms_are_the_pieces_between_labels_commas_and_stops():
    text = "Pharmacologic class: Angiotensin 2 Receptor Blocker. Pharmacological action: Antihypertensive Agents, Antihypertensive Agents. Role: EC 3.4.15.1 inhibitor."
    assert split_terms(text) == ("angiotensin 2 receptor blocker", "antihypertensive agents", "ec 3.4.15.1 inhibitor")
    assert split_terms("") == ()


def test_likeness_lies_between_0_and_1_and_a_drug_is_most_like_itself(known: Knowledge):
    drugs = DrugLikeness(known.drugs, KernelConfig(), Lexicon(list(known.drugs.texts))).to(known.drugs)
    diseases = DiseaseLikeness(known.diseases, KernelConfig(), Letters(list(known.diseases.texts))).to(known.diseases)
    for found in (drugs, diseases):
        assert found.min() >= 0
        assert found.max() <= 1 + 1e-6
        assert np.allclose(found, found.T, atol=1e-6)
        assert (found.max(axis=1) <= np.diag(found) + 1e-6).all()


def test_an_empty_drug_is_like_nothing(known: Knowledge, encoder):
    empty = encode_texts([""], encoder, bits=np.zeros((1, 2048), dtype=np.uint8))
    assert not DrugLikeness(known.drugs, KernelConfig(), Lexicon(list(known.drugs.texts))).to(empty).any()
    assert not term_scores(empty, known.diseases, 3).any()


def test_term_scores_are_the_mean_of_the_best_cosines(known: Knowledge):
    one = known.drugs.take([0])
    cosines = np.sort(one.terms[0] @ known.diseases.both.T, axis=0)[::-1]
    assert np.allclose(term_scores(one, known.diseases, 1)[0], cosines[0], atol=1e-6)
    assert np.allclose(term_scores(one, known.diseases, 3)[0], cosines[:3].mean(axis=0), atol=1e-6)


def test_letters_see_a_word_inside_another_and_never_cross_words():
    letters = Letters(["hypertension", "gout", "antihypertensive"])
    rows = letters.unit(["antihypertensive agents", "hypertension", "gout", ""])
    like = (rows @ rows.T).toarray()
    assert like[0, 1] > 0.3
    assert like[0, 2] == 0
    assert not like[3].any()
    assert np.allclose(np.diag(like)[:3], 1)
    first, second = letters.unit(["ab cd", "abcd"])
    assert (first @ second.T).toarray()[0, 0] < 0.5


def test_a_batch_of_queries_scores_like_each_alone(known: Knowledge):
    memory = Memory(known, MemoryConfig())
    unseen, columns = np.full(3, -1), np.arange(len(known.diseases.texts))
    together = memory.score(known.drugs.take([5, 9, 40]), known.diseases, unseen, columns)
    for row, drug in enumerate((5, 9, 40)):
        alone = memory.score(known.drugs.take([drug]), known.diseases, unseen[:1], columns)
        for name, matrix in together.items():
            assert np.allclose(matrix[row], alone[name][0], atol=1e-5), name


def test_a_seen_disease_answers_for_itself_and_an_unseen_copy_through_its_likeness(known: Knowledge):
    memory = Memory(known, MemoryConfig(disease_penalty=0.03))
    drugs, rows = known.drugs, np.arange(len(known.drugs.texts))
    seen = memory.score(drugs, known.diseases.take([3]), rows, np.array([3]), only={"ridge"})["ridge"][:, 0]
    assert np.array_equal(seen, known.labels[:, 3].astype(float))
    copied = memory.score(drugs, encode_disease_like(known, 3), rows, np.array([-1]), only={"ridge"})["ridge"][:, 0]
    assert set(np.argsort(-copied)[: int(seen.sum())]) == set(np.flatnonzero(seen))


def encode_disease_like(known: Knowledge, row: int):  # type: ignore[no-untyped-def]
    return known.diseases.take([row])


def test_a_trial_counts_for_less_than_a_label_and_never_lowers_one(known: Knowledge):
    trials = np.zeros_like(known.labels)
    trials[0] = True
    found = Knowledge(known.drugs, known.diseases, known.labels, trials).targets(0.25)
    assert (found[known.labels] == 1).all()
    assert (found[0][~known.labels[0]] == 0.25).all()
    assert (Knowledge(known.drugs, known.diseases, known.labels, trials).targets(0.0) == known.labels).all()


def test_a_described_disease_is_its_text_in_every_view(encoder):
    found = encode_disease_texts(["crystals in a joint"], encoder)
    assert np.array_equal(found.embeddings, found.names)
    assert found.ancestors == (frozenset(),)
