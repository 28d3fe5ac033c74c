"""A query against what is known: fused scores of every candidate, both ways, and how they change when words are left out.

Occluded variants are fused on the scale of the whole query (its own means and deviations over the candidates), so that scores stay comparable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import cast

import numpy as np

from drugai.linking.encoding import encode_disease_texts, encode_texts, fingerprints
from drugai.linking.evidence import occlusions, word_changes
from drugai.linking.fitting import Fusion, LinkerConfig
from drugai.linking.fusion import fuse
from drugai.linking.queries import check_smiles
from drugai.linking.remembering import RememberingMemory, RememberingTowers
from drugai.linking.towers import Towers
from drugai.linking.views import Diseases, Drugs, Knowledge
from drugai.models.text import TextEncoder

_STRUCTURAL = ("knn_structure", "ridge")
SAME = 0.7
"""Cosine of two disease texts above which they speak of the same or a closely related disease."""
MOST_WORDS = 16
"""Words of a hit's own text that are tried: name and the beginning of the definition; each costs an encoding."""
Words = tuple[tuple[str, float], ...]


class Asker:
    """Knowledge, towers, fusion weights and encoder as one thing that answers with numbers."""

    def __init__(self, knowledge: Knowledge, towers: Towers, fusions: Mapping[str, Fusion], config: LinkerConfig, encoder: TextEncoder) -> None:
        self.knowledge, self.fusions, self.config, self.encoder = knowledge, fusions, config, encoder
        self.memory = RememberingMemory(knowledge, config.memory)
        self.towers = cast(Towers, RememberingTowers(towers, knowledge))

    @cached_property
    def likeness(self) -> np.ndarray:
        """Likeness among the known drugs ``[n, n]``."""
        return self.memory.drug_likeness.to(self.knowledge.drugs)

    def drug(self, text: str, row: int | None, smiles: str | None) -> Drugs:
        """The query as one drug: the known one of that row, or text and structure."""
        if row is not None:
            return self.knowledge.drugs.take([row])
        return self._drugs([text.strip()], fingerprints([check_smiles(smiles) if smiles is not None else ""]))

    def disease(self, text: str, row: int | None) -> Diseases:
        """The query as one disease: the known one of that row, or its text."""
        return self.knowledge.diseases.take([row]) if row is not None else encode_disease_texts([text.strip()], self.encoder)

    def diseases_for(self, drug: Drugs, row: int | None) -> np.ndarray:
        """Fused scores of every known disease ``[m]``."""
        found: np.ndarray = fuse(self.drug_components(drug, row), self.drug_weights(drug, row))[0]
        return found

    def drug_components(self, drug: Drugs, row: int | None) -> dict[str, np.ndarray]:
        """Component → ``[1, m]`` for one drug."""
        weights = self.drug_weights(drug, row)
        rows = np.full(len(drug.texts), -1 if row is None else row)
        known = np.arange(self.knowledge.labels.shape[1])
        return self.memory.score(drug, self.knowledge.diseases, rows, known, towers=self.towers, only={name for name, weight in weights.items() if weight})

    def drug_weights(self, drug: Drugs, row: int | None) -> dict[str, float]:
        """Without a text the text components have no say; without text and structure popularity is all that is left."""
        weights = dict(self.fusions["drug"].weights)
        if row is not None:
            weights["ridge"] = max(1.0, weights.get("ridge", 0.0))  # of a known drug the memory has the pairs themselves
        if any(drug.texts):
            return weights
        if not drug.fingerprints.any():
            return {"popularity": 1.0}
        return {name: weights.get(name) or 1.0 for name in _STRUCTURAL}

    def drugs_for(self, disease: Diseases, row: int | None) -> np.ndarray:
        """Fused scores of every known drug ``[n]``."""
        found = {name: matrix.T for name, matrix in self.disease_components(disease, row).items()}
        scores: np.ndarray = fuse(found, self.disease_weights(disease, row))[0]
        return scores

    def disease_components(self, disease: Diseases, row: int | None) -> dict[str, np.ndarray]:
        """Component → ``[n, 1]`` for one disease."""
        weights = self.disease_weights(disease, row)
        known = np.arange(len(self.knowledge.labels))
        rows = np.full(len(disease.texts), -1 if row is None else row)
        return self.memory.score(self.knowledge.drugs, disease, known, rows, towers=self.towers, only={name for name, weight in weights.items() if weight})

    def disease_weights(self, disease: Diseases, row: int | None) -> dict[str, float]:
        """Weights of a disease that asks; an empty text leaves popularity alone.

        The weights were chosen for diseases whose whole family is unknown. A known one, or a text that says the same as a known one, has known drugs: there the
        memory is heard whatever was chosen.
        """
        weights = dict(self.fusions["disease"].reverse) if any(text.strip() for text in disease.texts) else {"popularity": 1.0}
        if row is not None or float((disease.embeddings[:1] @ self.knowledge.diseases.embeddings.T).max()) >= SAME:
            weights["ridge"] = max(1.5, weights.get("ridge", 0.0))
        return weights

    def drug_words(self, drug: Drugs, columns: Sequence[int]) -> list[Words]:
        """Words of the drug's text by how much each of these diseases' scores falls without them."""
        words, variants = occlusions(drug.texts[0])
        if not words:
            return [()] * len(columns)
        tried = self._drugs([drug.texts[0], *variants], drug.fingerprints)
        rows = np.full(len(tried.texts), -1)
        weights = {name: weight for name, weight in self.drug_weights(tried, None).items() if weight}
        asked = self.knowledge.diseases
        found = self.memory.score(tried, asked, rows, np.arange(self.knowledge.labels.shape[1]), towers=self.towers, only=set(weights))
        scored = sum((weights[name] * _on_scale(matrix, matrix[0]) for name, matrix in found.items()), np.zeros((len(rows), len(asked.texts))))
        return [word_changes(words, float(scored[0, one]), scored[1:, one]) for one in columns]

    def disease_words(self, text: str, drug_rows: Sequence[int]) -> list[Words]:
        """Words of a disease's text by how much each of these known drugs' scores falls without them."""
        words, variants = occlusions(text, most=40)
        if not words:
            return [()] * len(drug_rows)
        tried = encode_disease_texts([text, *variants], self.encoder)
        weights = {name: weight for name, weight in self.disease_weights(tried, None).items() if weight}
        known, rows = np.arange(len(self.knowledge.labels)), np.full(len(tried.texts), -1)
        found = self.memory.score(self.knowledge.drugs, tried, known, rows, towers=self.towers, only=set(weights))
        scored = sum((weights[name] * _on_scale(matrix, matrix[:, 0]) for name, matrix in found.items()), np.zeros((len(known), len(rows))))
        return [word_changes(words, float(scored[one, 0]), scored[one, 1:]) for one in drug_rows]

    def pair_words(self, drug: Drugs, text: str) -> Words:
        """Words of a disease's text by how much the score of this pair falls without them, for a drug that need not be known."""
        words, variants = occlusions(text, most=MOST_WORDS)
        if not words:
            return ()
        tried = encode_disease_texts([text, *variants], self.encoder)
        weights = {name: weight for name, weight in self.drug_weights(drug, None).items() if weight and name != "popularity"}
        rows, unseen = np.full(1, -1), np.full(len(tried.texts), -1)
        found = self.memory.score(drug, tried, rows, unseen, towers=self.towers, only=set(weights))
        scale = self.memory.score(drug, self.knowledge.diseases, rows, np.arange(self.knowledge.labels.shape[1]), towers=self.towers, only=set(weights))
        scored = sum((weights[name] * _on_scale(matrix, scale[name]) for name, matrix in found.items()), np.zeros((1, len(unseen))))[0]
        return word_changes(words, float(scored[0]), scored[1:])

    def _drugs(self, texts: Sequence[str], bits: np.ndarray) -> Drugs:
        # the encoder does not see capitals: in lower case and without the last stop a text of one clause and its only term are one text and are encoded once
        return encode_texts([text.strip().lower().removesuffix(".") for text in texts], self.encoder, bits=np.repeat(bits[:1], len(texts), axis=0))


def rounded_drugs(drugs: Drugs) -> Drugs:
    """Embeddings at half precision, as they are stored, so that a linker answers alike before and after saving."""
    return replace(drugs, embeddings=_half(drugs.embeddings), classes=_half(drugs.classes), terms=tuple(_half(part) for part in drugs.terms))


def rounded_diseases(diseases: Diseases) -> Diseases:
    """The same for diseases."""
    return replace(
        diseases,
        embeddings=_half(diseases.embeddings),
        names=_half(diseases.names),
        definitions=_half(diseases.definitions),
        forms=tuple(_half(part) for part in diseases.forms),
    )


def _half(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float16).astype(np.float32)


def _on_scale(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Values on the scale that :func:`fuse` gave the reference candidates."""
    spread = float(reference.std())
    found: np.ndarray = (values - reference.mean()) / spread if spread > 1e-12 else np.zeros_like(values)
    return found
