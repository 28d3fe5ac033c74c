"""Scorers that a worker process builds by name, whose term does on one molecule what the hazards list is about."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path

import numpy as np

from drugai.molecules import MoleculeBatch
from drugai.scoring import Term, TermScorer, property_term
from drugai.scoring.transforms import Ramp

SIGNS = {"crash": "FC(F)(F)I", "hang": "ClC(Cl)(Cl)Br", "hungry": "BrC(Br)(Br)I", "raise": "FC(Cl)(Br)I"}
"""trifluoroiodomethane, bromotrichloromethane, tribromoiodomethane, bromochlorofluoroiodomethane"""


def _scorer(*kinds: str) -> TermScorer:
    def danger(batch: MoleculeBatch) -> tuple[np.ndarray, list[str]]:
        for smi, why in zip(batch.smiles, batch.reasons, strict=True):
            kind = next((kind for kind in kinds if smi == SIGNS[kind] and not why), None)
            if kind == "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            elif kind == "hang":
                time.sleep(1000)
            elif kind == "hungry":
                held = []
                while True:
                    held.append(np.ones(8_000_000))  # 64 MB, touched
            elif kind == "raise":
                raise RuntimeError("this one, no")
        return np.array([1.0 if not why else 0.0 for why in batch.reasons]), [""] * len(batch)

    return TermScorer((property_term("weight", Ramp(100, 600)), Term("danger", danger, cost=5.0)))


def crash() -> TermScorer:
    return _scorer("crash")


def hang() -> TermScorer:
    return _scorer("hang")


def hungry() -> TermScorer:
    return _scorer("hungry")


def raising() -> TermScorer:
    return _scorer("raise")


def everything() -> TermScorer:
    return _scorer("crash", "hungry", "raise")


def peaceful() -> TermScorer:
    return _scorer()


def crash_in_c() -> TermScorer:
    """Reads address 0 in C, as a faulty extension would."""
    return TermScorer((Term("fault", lambda batch: ctypes.string_at(0) and (np.zeros(0), [])),))


def broken() -> TermScorer:
    def fail(batch: MoleculeBatch) -> tuple[np.ndarray, list[str]]:
        raise ValueError("a mistake in the term")

    return TermScorer((Term("broken", fail),))


def slow() -> TermScorer:
    """A scorer that takes its time, so that a run can be killed in the middle."""

    def wait(batch: MoleculeBatch) -> tuple[np.ndarray, list[str]]:
        time.sleep(0.05)
        return np.ones(len(batch)), [""] * len(batch)

    return TermScorer((property_term("weight", Ramp(100, 600)), Term("slow", wait, cost=9000.0)))


def busy() -> TermScorer:
    """Computes for 1.5 CPU-seconds a batch."""

    def count(batch: MoleculeBatch) -> tuple[np.ndarray, list[str]]:
        end = time.process_time() + 1.5
        while time.process_time() < end:
            pass
        return np.ones(len(batch)), [""] * len(batch)

    return TermScorer((Term("busy", count),))


def unpleasantly_full() -> TermScorer:
    """Fills what the whole chunk may take when it has more than 100 molecules at once."""

    def large(batch: MoleculeBatch) -> tuple[np.ndarray, list[str]]:
        if len(batch) > 100:
            raise MemoryError
        return np.ones(len(batch)), [""] * len(batch)

    return TermScorer((Term("large", large),))


def place(name: str) -> str:
    """What ``screen`` takes for one of these."""
    return f"{Path(__file__)}:{name}"
