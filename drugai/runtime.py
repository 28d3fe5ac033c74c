"""Processes, seeds, threads and logging; no torch."""

from __future__ import annotations

import ctypes
import hashlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")
R = TypeVar("R")


def derive_seed(seed: int, *keys: object) -> int:
    """A seed of its own for each named purpose: a function of ``seed`` and the keys alone, in [0, 2**63)."""
    text = "\0".join([str(int(seed)), *(str(key) for key in keys)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *keys: object) -> np.random.Generator:
    """A numpy random generator for ``seed`` and a named purpose; there is no global generator in drugai."""
    return np.random.default_rng(derive_seed(seed, *keys))


def available_cpus() -> int:
    """Processors that this process may use (affinity and control groups respected as far as Linux tells)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def divide_threads(workers: int) -> int:
    """Threads for each of ``workers`` processes so that together they do not exceed the processors."""
    return max(1, available_cpus() // max(1, workers))


def cpu_seconds() -> float:
    """CPU seconds (user and system) of this process and its ended children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies, so that no worker is left behind by a killed run."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)
        parent = parent_process()
        if parent is not None and os.getppid() != parent.pid:  # it died before the line above: no signal will come
            os._exit(1)


def parallel_map(function: Callable[[T], R], items: Iterable[T], workers: int = 1) -> Iterator[R]:
    """``function`` over ``items`` in order, in ``workers`` spawned processes (in this one for 1).

    For trusted, quick work; untrusted molecules go through the supervisor in ``screening``, which survives a crash.
    """
    if workers <= 1:
        yield from map(function, items)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=die_with_parent) as pool:
        yield from pool.map(function, items)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message and the fields passed as ``extra={"fields": {...}}``."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        entry: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry.update(getattr(record, "fields", {}))
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def configure_logging(level: str = "info", *, json_lines: bool | None = None) -> None:
    """Send drugai's log to standard error: words on a terminal, JSON lines off it. Only command lines call this."""
    logger = logging.getLogger("drugai")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    handler = logging.StreamHandler(sys.stderr)
    as_json = (not sys.stderr.isatty()) if json_lines is None else json_lines
    handler.setFormatter(JsonLines() if as_json else logging.Formatter("%(levelname).1s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False


@contextmanager
def defer_interrupts() -> Iterator[Callable[[], bool]]:
    """While open, SIGTERM and SIGINT only set a flag, so that a run can end at a clean place; a second signal acts as usual.

    Yields a function that says whether a signal came. Outside the main thread signals cannot be set, and the flag stays False.
    """
    received: list[int] = []
    previous: dict[int, Any] = {}

    def note(number: int, _frame: Any) -> None:
        received.append(number)
        signal.signal(number, previous[number])

    try:
        for which in (signal.SIGTERM, signal.SIGINT):
            previous[which] = signal.getsignal(which)
            signal.signal(which, note)
    except ValueError:
        previous.clear()
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
