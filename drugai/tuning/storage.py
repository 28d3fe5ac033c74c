"""Where a study lives: a journal file by default, SQLite or PostgreSQL by URL."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drugai.catalogue import lookup
from drugai.errors import ConfigError


def open_storage(storage: str | Path) -> Any:
    """An Optuna storage.

    Args:
        storage: A path (``runs/s/gnn.journal``: one journal file, any number of processes), ``sqlite:///file.db``, or ``postgresql://…``
            (with a heartbeat every 60 s, for a cluster).
    """
    text = str(storage)
    try:
        if "://" not in text:
            from optuna.storages import JournalStorage
            from optuna.storages.journal import JournalFileBackend

            Path(text).parent.mkdir(parents=True, exist_ok=True)
            return JournalStorage(JournalFileBackend(text))
        from optuna.storages import RDBStorage

        if text.startswith("sqlite:"):
            # a writer waits for the other's lock instead of failing at once
            return RDBStorage(text, engine_kwargs={"connect_args": {"timeout": 60}})
        return RDBStorage(text, heartbeat_interval=60, grace_period=180, engine_kwargs={"pool_pre_ping": True})
    except ImportError as error:
        raise ConfigError(f"storage {text!r}: {error}; install the driver of that database") from None


def make_sampler(name: str, seed: int) -> Any:
    """A sampler by name: tpe, gp, cmaes, qmc, nsga2, random."""
    return lookup("sampler", name, SAMPLERS)(seed)


def make_pruner(name: str) -> Any:
    """A pruner by name: median, hyperband, halving, none."""
    return lookup("pruner", name, PRUNERS)()


@contextlib.contextmanager
def exclusive(storage: str | Path) -> Iterator[None]:
    """One process at a time for files; databases serialize by themselves. Freed by the kernel when the holder dies."""
    text = str(storage)
    if "://" in text:
        yield
        return
    lock = Path(text + ".asking")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open(lock, "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


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


def _none() -> Any:
    from optuna.pruners import NopPruner

    return NopPruner()


SAMPLERS = {"tpe": _tpe, "gp": _gp, "cmaes": _cmaes, "qmc": _qmc, "nsga2": _nsga2, "random": _random}
PRUNERS = {"median": _median, "hyperband": _hyperband, "halving": _halving, "none": _none}
