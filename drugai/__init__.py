"""drugai: property predictors, library screening, molecule generation and drug-disease linking, tuned by Optuna.

Names load when they are first used, so that ``import drugai`` takes a fraction of a second and prints nothing.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from drugai.catalogue import provide

__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())
provide("deepchem", "drugai.interop")
provide("matches", "drugai.linking.matching")

# name → module that defines it; one line a name, in the order of the rooms
_HOMES = {
    "Dataset": "drugai.contracts",
    "Predictions": "drugai.contracts",
    "Scores": "drugai.contracts",
    "Split": "drugai.contracts",
    "Task": "drugai.contracts",
    "register": "drugai.catalogue",
    "MoleculeBatch": "drugai.molecules",
    "with_columns": "drugai.molecules",
    "audit": "drugai.data",
    "cards": "drugai.data",
    "read_csv": "drugai.data",
    "read_dataset": "drugai.data",
    "split": "drugai.data",
    "AutoConfig": "drugai.predictors",
    "BaggedConfig": "drugai.predictors",
    "EnsembleConfig": "drugai.predictors",
    "GNNConfig": "drugai.predictors",
    "GPConfig": "drugai.predictors",
    "LMConfig": "drugai.predictors",
    "TreesConfig": "drugai.predictors",
    "load_predictor": "drugai.predictors",
    "admet": "drugai.predictors",
    "embed": "drugai.predictors",
    "explain": "drugai.predictors",
    "calibrate": "drugai.training",
    "distill": "drugai.training",
    "compare_models": "drugai.training",
    "evaluate": "drugai.training",
    "fit_predictor": "drugai.training",
    "pretrain_encoder": "drugai.training",
    "pretrain_graph": "drugai.training",
    "validation_score": "drugai.training",
    "with_weights": "drugai.training",
    "read_scorer": "drugai.scoring",
    "build_library": "drugai.screening",
    "propose": "drugai.screening",
    "screen": "drugai.screening",
    "GeneratorConfig": "drugai.generation",
    "fine_tune": "drugai.generation",
    "fit_generator": "drugai.generation",
    "load_generator": "drugai.generation",
    "optimize": "drugai.generation",
    "load_linker": "drugai.linking",
    "tune": "drugai.tuning",
    "MoleculeClassifier": "drugai.interop.estimators",
    "MoleculeRegressor": "drugai.interop.estimators",
}

if TYPE_CHECKING:
    from drugai.catalogue import register as register
    from drugai.contracts import Dataset as Dataset
    from drugai.contracts import Predictions as Predictions
    from drugai.contracts import Scores as Scores
    from drugai.contracts import Split as Split
    from drugai.contracts import Task as Task


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'drugai' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
