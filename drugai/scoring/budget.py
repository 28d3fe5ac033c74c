"""Counting and remembering: a scorer behind a budget of unique molecules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drugai.contracts import Scorer, Scores
from drugai.errors import ConfigError
from drugai.molecules import MoleculeBatch


class Budgeted:
    """Scores each canonical molecule once and counts it; repeats are free, unreadable molecules cost nothing.

    Args:
        scorer: Any Scorer.
        budget: Unique molecules that may be scored.
    """

    def __init__(self, scorer: Scorer, budget: int) -> None:
        if budget < 1:
            raise ConfigError(f"a budget must be at least 1 molecule, got {budget}")
        self.scorer = scorer
        self.budget = budget
        self.known: dict[str, tuple[float, dict[str, float], dict[str, float], str]] = {}

    @property
    def used(self) -> int:
        """Unique molecules scored so far."""
        return len(self.known)

    @property
    def left(self) -> int:
        """Unique molecules that may still be scored."""
        return self.budget - self.used

    def score(self, molecules: Sequence[str] | MoleculeBatch) -> Scores:
        """Score n molecules; those beyond the budget get 0 and the reason ``E_VALUE: the budget is spent``."""
        batch = MoleculeBatch.of(molecules)
        new: dict[str, None] = {}
        for smi in batch.canonical:
            if smi and smi not in self.known and smi not in new and len(new) < self.left:
                new[smi] = None
        if new:
            self.remember(list(new), self.scorer.score(list(new)))
        rows = [self.known[smi] for smi in batch.canonical if smi in self.known]
        names = list(dict.fromkeys(name for found in rows for name in found[1]))  # a molecule at which the scorer raised has no parts
        n = len(batch)
        total = np.zeros(n)
        parts = {name: np.full(n, np.nan) for name in names}
        raw = {name: np.full(n, np.nan) for name in names}
        reasons = list(batch.reasons)
        for row, smi in enumerate(batch.canonical):
            if not smi:
                continue
            if smi not in self.known:
                reasons[row] = "E_VALUE: the budget is spent"
                continue
            total[row], of_parts, of_raw, why = self.known[smi]
            reasons[row] = why
            for name in names:
                parts[name][row], raw[name][row] = of_parts.get(name, np.nan), of_raw.get(name, np.nan)
        return Scores(total, parts, raw, tuple(reasons))

    def remember(self, smiles: Sequence[str], scores: Scores) -> None:
        """Take scores of canonical molecules into the memory (also when a run resumes)."""
        for row, smi in enumerate(smiles):
            of_parts = {name: float(values[row]) for name, values in scores.parts.items()}
            of_raw = {name: float(values[row]) for name, values in scores.raw.items()}
            self.known[smi] = (float(scores.total[row]), of_parts, of_raw, scores.reasons[row])
