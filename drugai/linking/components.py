"""Everything that says something about a pair, each as one matrix ``[drugs, diseases]``: popularity, words, neighbours, ridge, towers.

The same function serves the benchmark (rows of the tables) and a user's query (a text or structure that stands in no table).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from drugai.config import Config, setting, tunable
from drugai.linking.lexical import Lexicon
from drugai.linking.memory import ancestor_similarity, identity_weights, neighbour_weights, ridge_weights, sharpen
from drugai.molecules import tanimoto

if TYPE_CHECKING:
    from drugai.linking.towers import Towers

COMPONENTS = ("popularity", "tfidf", "bm25", "zero_shot", "knn_text", "knn_structure", "ridge", "towers")


@dataclass(frozen=True)
class MemoryConfig(Config):
    """How neighbours are weighed."""

    drug_neighbours: int = tunable(20, 5, 40, help="known drugs that vote, by text and by structure")
    disease_neighbours: int = tunable(20, 5, 40, help="known diseases that vote for one that is unseen")
    text_power: float = tunable(8.0, 1.0, 16.0, help="exponent on the text similarity of a known drug")
    structure_power: float = tunable(4.0, 1.0, 8.0, help="exponent on the Tanimoto similarity of a known drug")
    disease_power: float = tunable(4.0, 1.0, 16.0, help="exponent on the text similarity of a known disease")
    sharpness: float = tunable(5.0, 2.0, 20.0, log=True, help="of the ridge's Gaussian kernel on the text embeddings")
    structure: float = tunable(0.4, 0.0, 0.8, help="share of the structure (Tanimoto) in the ridge's drug kernel")
    ontology: float = setting(0.0, help="share of the disease ontology's ancestors in the ridge's disease kernel; 0: text alone")
    drug_penalty: float = tunable(0.5, 0.03, 3.0, log=True, help="λ of the ridge on the drug side")
    disease_penalty: float = tunable(1.0, 0.03, 10.0, log=True, help="λ of the ridge on the disease side")


@dataclass(frozen=True, eq=False)
class Drugs:
    """n drugs as a model sees them.

    Attributes:
        texts: n texts.
        embeddings: ``[n, d]`` of the texts; a row of zeros for an empty text.
        fingerprints: ``[n, bits]``; a row of zeros where no structure is known.
    """

    texts: tuple[str, ...]
    embeddings: np.ndarray
    fingerprints: np.ndarray

    def take(self, rows: Sequence[int] | np.ndarray) -> Drugs:
        """The drugs at these rows."""
        return Drugs(tuple(self.texts[row] for row in rows), self.embeddings[rows], self.fingerprints[rows])


@dataclass(frozen=True, eq=False)
class Diseases:
    """m diseases: texts, their embeddings, those of the bare names (a second view), and the ontology's ancestors."""

    texts: tuple[str, ...]
    embeddings: np.ndarray
    names: np.ndarray
    ancestors: tuple[frozenset[str], ...]

    def take(self, rows: Sequence[int] | np.ndarray) -> Diseases:
        """The diseases at these rows."""
        return Diseases(tuple(self.texts[row] for row in rows), self.embeddings[rows], self.names[rows], tuple(self.ancestors[row] for row in rows))

    @property
    def both(self) -> np.ndarray:
        """Mean of the two views: a definition helps among diseases, the bare name helps against drug texts."""
        return (self.embeddings + self.names) / 2


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What is known: drugs, diseases and the pairs between them ``[n, m]``."""

    drugs: Drugs
    diseases: Diseases
    labels: np.ndarray


def score_components(
    known: Knowledge,
    drugs: Drugs,
    diseases: Diseases,
    drug_rows: np.ndarray,
    disease_rows: np.ndarray,
    config: MemoryConfig,
    *,
    towers: Towers | None = None,
    lexicon: Lexicon | None = None,
) -> dict[str, np.ndarray]:
    """Every component's score of every asked pair.

    Args:
        known: Memory.
        drugs, diseases: What is asked, q drugs and c diseases.
        drug_rows, disease_rows: Row of each asked drug or disease in memory, −1 for an unseen one.
        config: Weights of neighbours.
        towers: Left out if None.
        lexicon: Learnt from the memory's texts if None.

    Returns:
        Component → ``[q, c]`` float64.
    """
    labels = known.labels.astype(np.float64)
    n, m = labels.shape
    drug_text = drugs.embeddings @ known.drugs.embeddings.T  # [q, n] cosine
    drug_shape = tanimoto(drugs.fingerprints, known.drugs.fingerprints)  # [q, n]
    disease_text = diseases.both @ known.diseases.both.T  # [c, m]
    disease_full = diseases.embeddings @ known.diseases.embeddings.T
    seen_drug, seen_disease = drug_rows >= 0, disease_rows >= 0

    # a disease in memory answers for itself, an unseen one through its neighbours; likewise drugs
    disease_side = np.where(
        seen_disease[:, None], identity_weights(disease_rows, m), neighbour_weights(disease_full, config.disease_neighbours, config.disease_power)
    )
    drug_side = np.where(seen_drug[:, None], identity_weights(drug_rows, n), neighbour_weights(drug_text, config.drug_neighbours, config.text_power))
    structure_side = neighbour_weights(drug_shape, config.drug_neighbours, config.structure_power)

    by_disease, by_drug = labels.sum(axis=0), labels.sum(axis=1)
    popularity = np.log1p(np.where(seen_disease, by_disease[disease_rows], 0.0))[None, :] + np.log1p(np.where(seen_drug, by_drug[drug_rows], 0.0))[:, None]
    lexicon = lexicon or Lexicon([*known.drugs.texts, *known.diseases.texts])
    found = {
        "popularity": popularity,
        "tfidf": lexicon.tfidf(drugs.texts, diseases.texts),
        "bm25": lexicon.bm25(drugs.texts, diseases.texts),
        "zero_shot": (drugs.embeddings @ diseases.both.T).astype(np.float64),
        "knn_text": drug_side @ labels @ disease_side.T,
        "knn_structure": structure_side @ labels @ disease_side.T,
        "ridge": _ridge(known, drugs, diseases, drug_text, drug_shape, disease_text, labels, config),
    }
    if towers is not None:
        found["towers"] = towers.score(drugs.embeddings, diseases.embeddings).astype(np.float64)
    return found


def _ridge(
    known: Knowledge,
    drugs: Drugs,
    diseases: Diseases,
    drug_text: np.ndarray,
    drug_shape: np.ndarray,
    disease_text: np.ndarray,
    labels: np.ndarray,
    config: MemoryConfig,
) -> np.ndarray:
    share = config.structure
    among = (1 - share) * sharpen(known.drugs.embeddings @ known.drugs.embeddings.T, config.sharpness)
    among += share * tanimoto(known.drugs.fingerprints, known.drugs.fingerprints)
    drug_weights = ridge_weights((1 - share) * sharpen(drug_text, config.sharpness) + share * drug_shape, among, config.drug_penalty)
    own = known.diseases.both
    square = np.linalg.norm(own, axis=1)
    asked = np.linalg.norm(diseases.both, axis=1)
    # the mean of two unit vectors is shorter than 1: back to cosines
    to_known = sharpen(disease_text / np.maximum(asked[:, None] * square[None, :], 1e-9), config.sharpness)
    among_known = sharpen(own @ own.T / np.maximum(square[:, None] * square[None, :], 1e-9), config.sharpness)
    if config.ontology:
        mine, theirs = list(known.diseases.ancestors), list(diseases.ancestors)
        to_known = (1 - config.ontology) * to_known + config.ontology * ancestor_similarity(theirs, mine)
        among_known = (1 - config.ontology) * among_known + config.ontology * ancestor_similarity(mine, mine)
    disease_weights = ridge_weights(to_known, among_known, config.disease_penalty)
    found: np.ndarray = drug_weights @ labels @ disease_weights.T
    return found


def without_structure(drugs: Drugs) -> Drugs:
    """The same drugs with their structures unknown."""
    return replace(drugs, fingerprints=np.zeros_like(drugs.fingerprints))
