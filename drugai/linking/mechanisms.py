"""Which mechanism or class a drug has, by the votes of the known drugs that are nearest to it in the towers' space and in structure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from drugai.linking.evidence import Vote
from drugai.linking.memory import neighbour_weights
from drugai.linking.views import Drugs
from drugai.molecules import tanimoto

if TYPE_CHECKING:
    from drugai.linking.towers import Towers

NEIGHBOURS = 10
POWER = 4.0


def drug_similarity(drugs: Drugs, known: Drugs, towers: Towers | None) -> np.ndarray:
    """``[q, n]``: mean of the cosine in the towers' space (of the texts without towers) and the Tanimoto similarity, as far as a query has text and structure."""
    from drugai.linking.towers import drug_inputs

    if towers is not None:
        text = towers.embed_drugs(drug_inputs(drugs, towers.config)) @ towers.embed_drugs(drug_inputs(known, towers.config)).T
    else:
        text = drugs.embeddings @ known.embeddings.T
    said = (np.abs(drugs.embeddings).sum(axis=1, keepdims=True) > 0).astype(float)
    drawn = (drugs.fingerprints.sum(axis=1, keepdims=True) > 0).astype(float)
    total = text * said + tanimoto(drugs.fingerprints, known.fingerprints) * drawn
    found: np.ndarray = total / np.maximum(said + drawn, 1.0)
    return found


def term_votes(similarity: np.ndarray, terms: Sequence[Sequence[str]], *, own: np.ndarray | None = None) -> list[dict[str, float]]:
    """For each query: term → share of its nearest known drugs' weight.

    Args:
        similarity: ``[q, n]`` to known drugs.
        terms: Terms of each known drug.
        own: Row of the query among the known drugs (−1: none); it does not vote for itself.
    """
    if own is not None:
        similarity = similarity.copy()
        for query, row in enumerate(own):
            if row >= 0:
                similarity[query, row] = 0.0
    told = np.array([bool(found) for found in terms])
    weights = neighbour_weights(similarity * told, NEIGHBOURS, POWER)
    votes = []
    for row in weights:
        found: dict[str, float] = defaultdict(float)
        for drug in np.flatnonzero(row):
            for term in set(terms[int(drug)]):
                found[term] += float(row[drug])
        votes.append(dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))))
    return votes


def named_votes(similarity: np.ndarray, terms: Sequence[Sequence[str]], names: Sequence[str], *, own: int = -1, top: int = 5) -> tuple[Vote, ...]:
    """The first ``top`` terms for one query ``[n]``, each with the nearest drugs that stand for it."""
    voted = term_votes(similarity[None], terms, own=np.array([own]))[0]
    order = [int(row) for row in np.argsort(-similarity, kind="stable") if row != own]
    found = []
    for term, share in list(voted.items())[:top]:
        found.append(Vote(term, min(1.0, share), tuple(islice((names[row] for row in order if term in terms[row]), 3))))
    return tuple(found)
