"""Optuna studies over Config trees: they resume, run in parallel and survive a kill. The only room that imports optuna."""

from __future__ import annotations

from drugai.tuning.progress import Standing
from drugai.tuning.space import KindSpace, Space, config_space, read_space
from drugai.tuning.study import Asked, Study, choose_trial
from drugai.tuning.tune import open_tuning, tune

__all__ = ["Asked", "KindSpace", "Space", "Standing", "Study", "choose_trial", "config_space", "open_tuning", "read_space", "tune"]
