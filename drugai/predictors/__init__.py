"""Trained models as predictors: molecules in, Predictions out. Each kind loads only what it needs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "AdmetPanel": "drugai.predictors.admet_panel",
    "AdmetProfile": "drugai.predictors.admet_panel",
    "AutoConfig": "drugai.predictors.auto",
    "BaggedConfig": "drugai.predictors.bagged",
    "BaggedPredictor": "drugai.predictors.bagged",
    "EnsembleConfig": "drugai.predictors.ensemble",
    "EnsemblePredictor": "drugai.predictors.ensemble",
    "GNNConfig": "drugai.predictors.gnn",
    "GNNPredictor": "drugai.predictors.gnn",
    "GPConfig": "drugai.predictors.gaussian_process",
    "GPPredictor": "drugai.predictors.gaussian_process",
    "LMConfig": "drugai.predictors.language",
    "LanguagePredictor": "drugai.predictors.language",
    "MeanConfig": "drugai.predictors.constant",
    "MeanPredictor": "drugai.predictors.constant",
    "TrainedPredictor": "drugai.predictors.base",
    "TreesConfig": "drugai.predictors.trees",
    "TreesPredictor": "drugai.predictors.trees",
    "admet": "drugai.predictors.admet_panel",
    "embed": "drugai.predictors.embedding",
    "explain": "drugai.predictors.explaining",
    "load_predictor": "drugai.predictors.loading",
}

if TYPE_CHECKING:
    from drugai.predictors.admet_panel import AdmetPanel as AdmetPanel
    from drugai.predictors.admet_panel import AdmetProfile as AdmetProfile
    from drugai.predictors.admet_panel import admet as admet
    from drugai.predictors.auto import AutoConfig as AutoConfig
    from drugai.predictors.bagged import BaggedConfig as BaggedConfig
    from drugai.predictors.bagged import BaggedPredictor as BaggedPredictor
    from drugai.predictors.base import TrainedPredictor as TrainedPredictor
    from drugai.predictors.constant import MeanConfig as MeanConfig
    from drugai.predictors.constant import MeanPredictor as MeanPredictor
    from drugai.predictors.embedding import embed as embed
    from drugai.predictors.ensemble import EnsembleConfig as EnsembleConfig
    from drugai.predictors.ensemble import EnsemblePredictor as EnsemblePredictor
    from drugai.predictors.explaining import explain as explain
    from drugai.predictors.gaussian_process import GPConfig as GPConfig
    from drugai.predictors.gaussian_process import GPPredictor as GPPredictor
    from drugai.predictors.gnn import GNNConfig as GNNConfig
    from drugai.predictors.gnn import GNNPredictor as GNNPredictor
    from drugai.predictors.language import LanguagePredictor as LanguagePredictor
    from drugai.predictors.language import LMConfig as LMConfig
    from drugai.predictors.loading import load_predictor as load_predictor
    from drugai.predictors.trees import TreesConfig as TreesConfig
    from drugai.predictors.trees import TreesPredictor as TreesPredictor


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'drugai.predictors' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
