"""Rows of the tables → what the components read: texts, their embeddings, terms, fingerprints, ancestors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from drugai.linking.tables import Disease, Drug
from drugai.linking.views import Diseases, Drugs, split_terms
from drugai.models.text import TextEncoder
from drugai.molecules import MoleculeBatch, fingerprint

BITS = 2048


def encode_drugs(drugs: Sequence[Drug], encoder: TextEncoder, *, view: str = "mechanism+class", texts: Mapping[str, tuple[str, str]] | None = None) -> Drugs:
    """Drugs as a model sees them.

    Args:
        drugs: n drugs.
        encoder: Of texts.
        view: Which of the drug's texts.
        texts: Drug id → (mechanism, class) in place of the drug's own (masked texts, say).
    """
    parts = [texts[drug.id] if texts is not None else (drug.mechanism, drug.drug_class) for drug in drugs]
    written = [Drug("", "", mechanism=mechanism, drug_class=kind).text(view) for mechanism, kind in parts]
    classes = [kind if "class" in view else "" for _, kind in parts]
    return encode_texts(written, encoder, classes=classes, bits=fingerprints([drug.smiles for drug in drugs]))


def encode_texts(texts: Sequence[str], encoder: TextEncoder, *, bits: np.ndarray, classes: Sequence[str] | None = None) -> Drugs:
    """Drugs from bare texts: where no class is given apart, the text serves as the class."""
    kinds = [kind or text for kind, text in zip(classes or [""] * len(texts), texts, strict=True)]
    words = [split_terms(kind) for kind in kinds]
    vocabulary = sorted({word for found in words for word in found})
    row_of = {word: row for row, word in enumerate(vocabulary)}
    rows = encoder.encode([*vocabulary, *texts, *kinds])  # at once: a query's few short texts then share one pass
    table, written, classes_of = np.split(rows, [len(vocabulary), len(vocabulary) + len(texts)])
    terms = tuple(table[[row_of[word] for word in found]] for found in words)
    return Drugs(tuple(texts), written, bits, classes_of, terms, tuple(words))


def encode_diseases(diseases: Sequence[Disease], encoder: TextEncoder) -> Diseases:
    """Diseases as a model sees them: full text, bare name, definition, every name."""
    written = tuple(disease.text() for disease in diseases)
    forms = [forms_of(disease) for disease in diseases]
    flat = [form for found in forms for form in found]
    return Diseases(
        written,
        encoder.encode(written),
        encoder.encode([disease.name for disease in diseases]),
        encoder.encode([disease.definition for disease in diseases]),
        split_rows(encoder.encode(flat), [len(found) for found in forms]),
        tuple(frozenset((*disease.ancestors, disease.id)) if disease.ancestors else frozenset() for disease in diseases),
    )


def encode_disease_texts(texts: Sequence[str], encoder: TextEncoder) -> Diseases:
    """Diseases that stand in no table: the text is name, definition and all."""
    rows = encoder.encode(list(texts))
    return Diseases(tuple(texts), rows, rows, rows, tuple(rows[[row]] for row in range(len(rows))), (frozenset(),) * len(rows))


def forms_of(disease: Disease) -> list[str]:
    """Name and synonyms, each once."""
    return list(dict.fromkeys((disease.name, *disease.synonyms)))


def split_rows(rows: np.ndarray, counts: Sequence[int]) -> tuple[np.ndarray, ...]:
    """Rows cut into runs of these lengths."""
    return tuple(np.split(rows, np.cumsum(counts)[:-1])) if len(counts) else ()


def fingerprints(smiles: Sequence[str]) -> np.ndarray:
    """Morgan bits (radius 2) ``[n, 2048]``; zeros for a drug without a readable structure."""
    return fingerprint(MoleculeBatch(list(smiles)), "morgan", bits=BITS, radius=2)
