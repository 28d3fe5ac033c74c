"""Fit and evaluate predictors; the one training loop."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "Evaluation": "drugai.training.evaluation",
    "LoopConfig": "drugai.training.loop",
    "break_down": "drugai.training.breakdown",
    "calibrate": "drugai.training.calibrating",
    "distill": "drugai.training.distilling",
    "compare_models": "drugai.training.comparing",
    "cost_score": "drugai.training.costs",
    "evaluate": "drugai.training.evaluation",
    "fold_score": "drugai.training.folds",
    "fit_on": "drugai.training.fit",
    "fit_predictor": "drugai.training.fit",
    "PretrainConfig": "drugai.training.pretraining",
    "pretrain_encoder": "drugai.training.pretraining",
    "pretrain_graph": "drugai.training.graph_pretraining",
    "model_config": "drugai.training.fit",
    "model_names": "drugai.training.fit",
    "run_loop": "drugai.training.loop",
    "validation_score": "drugai.training.evaluation",
    "weights_score": "drugai.training.weighing",
    "with_weights": "drugai.training.table_columns",
}

if TYPE_CHECKING:
    from drugai.training.breakdown import break_down as break_down
    from drugai.training.calibrating import calibrate as calibrate
    from drugai.training.comparing import compare_models as compare_models
    from drugai.training.costs import cost_score as cost_score
    from drugai.training.distilling import distill as distill
    from drugai.training.evaluation import Evaluation as Evaluation
    from drugai.training.evaluation import evaluate as evaluate
    from drugai.training.evaluation import validation_score as validation_score
    from drugai.training.fit import fit_on as fit_on
    from drugai.training.fit import fit_predictor as fit_predictor
    from drugai.training.fit import model_config as model_config
    from drugai.training.fit import model_names as model_names
    from drugai.training.folds import fold_score as fold_score
    from drugai.training.graph_pretraining import pretrain_graph as pretrain_graph
    from drugai.training.loop import LoopConfig as LoopConfig
    from drugai.training.loop import run_loop as run_loop
    from drugai.training.pretraining import PretrainConfig as PretrainConfig
    from drugai.training.pretraining import pretrain_encoder as pretrain_encoder
    from drugai.training.table_columns import with_weights as with_weights
    from drugai.training.weighing import weights_score as weights_score


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'drugai.training' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
