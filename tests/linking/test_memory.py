"""Neighbour and ridge weights against hand arithmetic."""

from __future__ import annotations

import numpy as np

from drugai.linking.lexical import Lexicon
from drugai.linking.memory import ancestor_similarity, identity_weights, neighbour_weights, ridge_weights


def test_neighbour_weights_keep_k_rows_and_sum_to_one():
    weights = neighbour_weights(np.array([[0.9, 0.1, 0.3, -0.5]]), k=2)
    assert np.allclose(weights, [[0.75, 0, 0.25, 0]])


def test_ridge_with_no_penalty_gives_a_known_row_its_own_label():
    kernel = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert np.allclose(ridge_weights(kernel, kernel, 1e-9), np.eye(2), atol=1e-6)


def test_ridge_weights_follow_the_closed_form():
    # one known row: k / (1 + λ) = 0.6 / 1.5
    assert np.allclose(ridge_weights(np.array([[0.6]]), np.array([[1.0]]), 0.5), [[0.4]])


def test_an_unseen_row_has_no_identity():
    assert identity_weights(np.array([1, -1]), 2).tolist() == [[0, 1], [0, 0]]


def test_ancestor_similarity_is_jaccard_and_zero_without_ancestors():
    found = ancestor_similarity([frozenset("ab"), frozenset()], [frozenset("bc")])
    assert np.allclose(found, [[1 / 3], [0]])


def test_bm25_and_tfidf_prefer_the_document_with_the_rarer_shared_word():
    lexicon = Lexicon(["kinase inhibitor", "kinase agonist", "glucose transporter", "kinase glucose"])
    for score in (lexicon.tfidf, lexicon.bm25):
        found = score(["glucose transporter kinase"], ["kinase agonist", "glucose transporter"])
        assert found[0, 1] > found[0, 0]
    assert lexicon.tfidf(["unheard words"], ["glucose"])[0, 0] == 0
