"""Where a study lives (a journal file by default, SQLite or PostgreSQL by URL), and samplers and pruners by name."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from drugai.catalogue import lookup
from drugai.errors import ConfigError
from drugai.tuning import stale
from drugai.tuning.journal import open_journal
from drugai.tuning.locking import server_url


def open_storage(storage: str | Path) -> Any:
    """An Optuna storage.

    Args:
        storage: A path (``runs/s/gnn.journal``: one journal file, any number of processes), ``sqlite:///file.db``, or ``postgresql://…``
            (with a heartbeat, for a cluster).

    Raises:
        ConfigError: The driver of the database is not installed, or the database cannot be reached.
    """
    text = str(storage)
    if "://" not in text:
        return open_journal(text)
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import OperationalError

    try:
        if text.startswith("sqlite:"):
            # a writer waits for the other's lock instead of failing at once
            return RDBStorage(text, engine_kwargs={"connect_args": {"timeout": 60}})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Optuna calls its heartbeat experimental at each start
            beat = {"heartbeat_interval": max(1, round(stale.HEARTBEAT)), "grace_period": max(1, round(stale.STALE_AFTER))}
            return RDBStorage(server_url(text), engine_kwargs={"pool_pre_ping": True}, **beat)
    except ImportError as error:
        raise ConfigError(f"storage {text!r}: {error}; install the driver of that database (for PostgreSQL: pip install 'drugai[tuning]')") from None
    except OperationalError as error:
        raise ConfigError(f"storage {text!r} cannot be reached: {str(error.orig).strip()}; is the server up and does the database exist?") from None


def make_sampler(name: str, seed: int) -> Any:
    """A sampler by name: tpe, gp, cmaes, qmc, nsga2, random."""
    return lookup("sampler", name, SAMPLERS)(seed)


def make_pruner(name: str) -> Any:
    """A pruner by name: median, hyperband, halving (by epoch), wilcoxon (by fold), none."""
    return lookup("pruner", name, PRUNERS)()


def _tpe(seed: int) -> Any:
    from optuna.samplers import TPESampler

    return TPESampler(seed=seed, n_startup_trials=10)


def _gp(seed: int) -> Any:
    from optuna.samplers import GPSampler

    return GPSampler(seed=seed)


def _cmaes(seed: int) -> Any:
    from optuna.samplers import CmaEsSampler

    return CmaEsSampler(seed=seed)


def _qmc(seed: int) -> Any:
    from optuna.samplers import QMCSampler

    return QMCSampler(seed=seed % 2**31, warn_independent_sampling=False)


def _nsga2(seed: int) -> Any:
    from optuna.samplers import NSGAIISampler

    return NSGAIISampler(seed=seed)


def _random(seed: int) -> Any:
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=seed)


def _median() -> Any:
    from optuna.pruners import MedianPruner

    return MedianPruner(n_startup_trials=5, n_warmup_steps=5)


def _hyperband() -> Any:
    from optuna.pruners import HyperbandPruner

    return HyperbandPruner(min_resource=3)


def _halving() -> Any:
    from optuna.pruners import SuccessiveHalvingPruner

    return SuccessiveHalvingPruner(min_resource=3)


def _wilcoxon() -> Any:
    from optuna.pruners import WilcoxonPruner

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # experimental in Optuna
        return WilcoxonPruner(p_threshold=0.1)


def _none() -> Any:
    from optuna.pruners import NopPruner

    return NopPruner()


SAMPLERS = {"tpe": _tpe, "gp": _gp, "cmaes": _cmaes, "qmc": _qmc, "nsga2": _nsga2, "random": _random}
PRUNERS = {"median": _median, "hyperband": _hyperband, "halving": _halving, "wilcoxon": _wilcoxon, "none": _none}
