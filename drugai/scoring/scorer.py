"""Terms → total: cheap terms first, rows that are dead already skip the dear ones, and nothing of that changes a total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drugai.contracts import Scores
from drugai.errors import ConfigError
from drugai.molecules import MoleculeBatch
from drugai.scoring.terms import Term


@dataclass(frozen=True)
class TermScorer:
    """Weighted geometric or arithmetic mean of the terms; filters multiply with 0 or 1.

    Args:
        terms: At least one, with distinct names.
        combine: ``geometric`` (a 0 in any term is a 0 in total) or ``arithmetic``.
    """

    terms: tuple[Term, ...]
    combine: str = "geometric"

    def __post_init__(self) -> None:
        names = [term.name for term in self.terms]
        if not names:
            raise ConfigError("a scorer needs at least one term")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(f"two terms are called {', '.join(twice)}; give them distinct names")
        if self.combine not in ("geometric", "arithmetic"):
            raise ConfigError(f"combine={self.combine!r} is not one of geometric, arithmetic")

    def score(self, molecules: Sequence[str] | MoleculeBatch) -> Scores:
        """Score n molecules.

        Returns:
            ``total`` ``[n]`` in [0, 1], 0 for a row with a reason; ``parts`` and ``raw`` by term, NaN where a dead row skipped the term.
        """
        batch = MoleculeBatch.of(molecules)
        n = len(batch)
        reasons = list(batch.reasons)
        alive = batch.valid.copy()
        raw = {term.name: np.full(n, np.nan) for term in self.terms}
        parts = {term.name: np.full(n, np.nan) for term in self.terms}
        some, of_some = batch, np.arange(n)  # each batch is cut out of the one before, so that what was computed of that one goes along
        for term in sorted(self.terms, key=lambda term: (term.cost, term.name)):
            rows = np.flatnonzero(alive)
            if not len(rows):
                break
            if len(rows) < len(of_some):
                some, of_some = some.take(np.flatnonzero(alive[of_some])), rows
            values, why = term.values(some)
            with np.errstate(invalid="ignore"):
                desirability = np.clip(term.transform(values), 0.0, 1.0)
            raw[term.name][rows], parts[term.name][rows] = values, desirability
            failed = np.isnan(desirability)
            for place in np.flatnonzero(failed):
                reasons[rows[place]] = why[place]
            dead = failed | (desirability == 0) if (term.filter or self.combine == "geometric") else failed
            alive[rows[dead]] = False
        return Scores(self._total(parts, alive), parts, raw, tuple(reasons))

    def _total(self, parts: dict[str, np.ndarray], alive: np.ndarray) -> np.ndarray:
        weighted = [term for term in self.terms if not term.filter]
        total = np.zeros(len(alive))
        if not weighted:
            total[alive] = 1.0
            return total
        weights = np.array([term.weight for term in weighted])
        matrix = np.stack([parts[term.name][alive] for term in weighted], axis=1)  # [alive, terms]
        if self.combine == "geometric":
            total[alive] = np.exp(np.log(matrix) @ weights / weights.sum())
        else:
            total[alive] = matrix @ weights / weights.sum()
        return np.clip(total, 0.0, 1.0)


def product_of(*terms: Term) -> TermScorer:
    """A scorer by the weighted geometric mean: every term must be good."""
    return TermScorer(tuple(terms), "geometric")


def mean_of(*terms: Term) -> TermScorer:
    """A scorer by the weighted arithmetic mean: one term can make up for another."""
    return TermScorer(tuple(terms), "arithmetic")
