"""Optuna studies over Config trees: they resume, run in parallel and survive a kill. The only room that imports optuna."""

from __future__ import annotations

from drugai.tuning.space import Space, config_space, read_space
from drugai.tuning.study import Study
from drugai.tuning.tune import tune

__all__ = ["Space", "Study", "config_space", "read_space", "tune"]
