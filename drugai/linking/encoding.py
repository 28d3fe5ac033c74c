"""Rows of the tables → what the components read: texts, their embeddings, fingerprints, ancestors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from drugai.linking.components import Diseases, Drugs
from drugai.linking.tables import Disease, Drug
from drugai.models.text import TextEncoder
from drugai.molecules import MoleculeBatch, fingerprint

BITS = 2048


def encode_drugs(drugs: Sequence[Drug], encoder: TextEncoder, *, view: str = "mechanism+class", texts: Mapping[str, str] | None = None) -> Drugs:
    """Drugs as a model sees them.

    Args:
        drugs: n drugs.
        encoder: Of texts.
        view: Which of the drug's texts.
        texts: Drug id → text in place of the view (masked texts, say).
    """
    written = tuple(texts[drug.id] if texts is not None else drug.text(view) for drug in drugs)
    return Drugs(written, encoder.encode(written), fingerprints([drug.smiles for drug in drugs]))


def encode_diseases(diseases: Sequence[Disease], encoder: TextEncoder) -> Diseases:
    """Diseases as a model sees them: full text and bare name."""
    written = tuple(disease.text() for disease in diseases)
    ancestors = tuple(frozenset((*disease.ancestors, disease.id)) if disease.ancestors else frozenset() for disease in diseases)
    return Diseases(written, encoder.encode(written), encoder.encode([disease.name for disease in diseases]), ancestors)


def fingerprints(smiles: Sequence[str]) -> np.ndarray:
    """Morgan bits (radius 2) ``[n, 2048]``; zeros for a drug without a readable structure."""
    return fingerprint(MoleculeBatch(list(smiles)), "morgan", bits=BITS, radius=2)
