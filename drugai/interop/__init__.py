"""Other libraries' data, featurizers and models beside drugai's own. The only room that imports deepchem, and only when it is used.

Importing this room makes deepchem's featurizers and models choices by name (``deepchem:CircularFingerprint``, ``deepchem:MultitaskRegressor``); deepchem
itself, 7 CPU-seconds and 16 lines on standard error, loads silently when one of them first works.
"""

from __future__ import annotations

from drugai.interop.exchange import from_deepchem, load_moleculenet, to_deepchem
from drugai.interop.featurizers import FEATURIZERS, featurize
from drugai.interop.loading import deepchem
from drugai.interop.models import MODELS, DeepChemConfig, DeepChemPredictor, load_deepchem
from drugai.interop.names import register_names

register_names()

__all__ = [
    "FEATURIZERS",
    "MODELS",
    "DeepChemConfig",
    "DeepChemPredictor",
    "deepchem",
    "featurize",
    "from_deepchem",
    "load_deepchem",
    "load_moleculenet",
    "register_names",
    "to_deepchem",
]
