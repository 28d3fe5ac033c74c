"""A description of an activity as a term of a score: how near is a molecule to the known drugs that the description fits?

``provide("matches", …)`` in :mod:`drugai` lets a scorer file name the term without scoring knowing the linker.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from drugai.catalogue import register
from drugai.errors import ConfigError
from drugai.linking.encoding import BITS, fingerprints
from drugai.linking.linker import Linker
from drugai.linking.loading import load_linker
from drugai.linking.mechanisms import drug_similarity
from drugai.linking.queries import text_warnings
from drugai.molecules import MoleculeBatch, tanimoto
from drugai.scoring.reading import LoadPredictor, take_keys, take_transform
from drugai.scoring.terms import Term, Values
from drugai.scoring.transforms import Identity, Transform

logger = logging.getLogger(__name__)


def matches(linker: Linker, text: str, transform: Transform | None = None, *, name: str = "", weight: float = 1.0) -> Term:
    """Whether a molecule looks like a drug that does what the text says.

    The text is compared with each known drug's in the linker's space; its fit runs from 0 (the median drug) to 1 (the drug that it fits best). The value of a molecule is the largest
    product of a known drug's fit and its Tanimoto similarity to the molecule: 1 for the best-fitting drug itself. It says nothing of molecules unlike every known drug.

    Args:
        linker: Knows the drugs.
        text: What the molecule shall do, in English: ``inhibits sodium-glucose co-transporter 2``.
        transform: Value → desirability.
        name, weight: Of the term.

    Raises:
        ConfigError: The text is empty, or no known drug has a structure.
    """
    if not text.strip():
        raise ConfigError("the term 'matches' needs a text, for example 'inhibits sodium-glucose co-transporter 2'")
    known = linker.knowledge.drugs
    drawn = np.flatnonzero(known.fingerprints.any(axis=1))
    if not len(drawn):
        raise ConfigError("the linker knows no structure of a drug; take one whose tables have SMILES")
    for warning in text_warnings(text, linker.asker.memory.lexicon.words):
        logger.warning("%s", warning)
    similarity = drug_similarity(linker.asker.drug(text, None, None), known, linker.towers)[0]
    middle, most = float(np.median(similarity)), float(similarity[drawn].max())
    fit = np.clip((similarity[drawn] - middle) / max(most - middle, 1e-9), 0.0, 1.0)
    drugs, fit = known.fingerprints[drawn][fit > 0], fit[fit > 0]

    def function(batch: MoleculeBatch) -> Values:
        bits = fingerprints([smi or "" for smi in batch.canonical])
        return (tanimoto(bits, drugs) * fit).max(axis=1).astype(float), [""] * len(batch)

    return Term(name or "matches", function, transform or Identity(), weight, cost=60.0 + BITS / 10)


def _read(entry: dict[str, Any], _load: LoadPredictor | None, folder: Path) -> Term:
    transform = take_transform(entry)
    found = take_keys(entry, ("linker", "text", "name", "weight"))
    place = folder / found.get("linker", "shipped")
    linker = load_linker(place) if place.exists() else load_linker(None if found.get("linker", "shipped") == "shipped" else found["linker"])
    return matches(linker, found.get("text", ""), transform, name=found.get("name", ""), weight=found.get("weight", 1.0))


register("term", "matches", _read)
