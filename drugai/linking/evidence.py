"""Why a pair is ranked where it is: what is known of it, which known drugs or diseases are near, which words carry it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from drugai.linking.queries import BANNER


@dataclass(frozen=True)
class Neighbour:
    """A known drug (or disease) of the pair's other side, with its similarity to the query: cosine of texts, Tanimoto of structures (None without one)."""

    name: str
    text: float | None
    structure: float | None

    def __str__(self) -> str:
        parts = [f"{label} {value:.2f}" for label, value in (("text", self.text), ("structure", self.structure)) if value is not None]
        return f"{self.name} ({', '.join(parts)})" if parts else self.name


@dataclass(frozen=True)
class Hit:
    """One row of a ranking.

    Attributes:
        score: Fused score [standard deviations over the candidates].
        probability: Share of such pairs that were right on held-out folds (logistic of the score), or None where it was not calibrated.
        status: ``treats``, ``palliates``, ``clinical``, ``contraindicated``, ``non_indication`` …, ``novel`` where nothing is known; several joined by +.
        sources: Where the status comes from.
        neighbours: Known drugs of this disease that resemble the query (or known diseases of this drug).
        words: Words of the query and by how much the score falls without each.
    """

    rank: int
    id: str
    name: str
    score: float
    probability: float | None
    status: str
    sources: tuple[str, ...]
    neighbours: tuple[Neighbour, ...]
    words: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Ranking:
    """The answer to a query: hits, warnings on its reliability, and the banner that it is for research."""

    query: str
    of: str
    hits: tuple[Hit, ...]
    warnings: tuple[str, ...] = ()
    banner: str = BANNER

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{self.of} for: {self.query}", *(f"warning: {text}" for text in self.warnings)]
        for hit in self.hits:
            chance = f"  p {hit.probability:.2f}" if hit.probability is not None else ""
            lines.append(
                f"{hit.rank:3d}. {hit.name}  [{hit.id}]  score {hit.score:.2f}{chance}  {hit.status}" + (f" ({', '.join(hit.sources)})" if hit.sources else "")
            )
            if hit.neighbours:
                lines.append("       near: " + "; ".join(map(str, hit.neighbours)))
            if hit.words:
                lines.append("       words: " + ", ".join(f"{word} {change:+.2f}" for word, change in hit.words))
        return "\n".join([*lines, self.banner])


def occlude(text: str, score: Callable[[Sequence[str]], np.ndarray], top: int = 5, most: int = 60) -> tuple[tuple[str, float], ...]:
    """Words by how much the score falls when each is left out.

    Args:
        text: The query.
        score: Texts → their scores ``[n]`` of the pair.
        top: Words returned, those that matter most.
        most: Words tried, from the start of the text.
    """
    found = list(re.finditer(r"[\w-]+", text))[:most]
    tried = [match for match in found if len(match.group()) > 2]
    if len(found) < 2 or not tried:
        return ()
    variants = [text[: match.start()] + text[match.end() :] for match in tried]
    values = score([text, *variants])
    changes = [(match.group(), float(values[0] - value)) for match, value in zip(tried, values[1:], strict=True)]
    return tuple(sorted(changes, key=lambda pair: -abs(pair[1]))[:top])
