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
        probability: Share of pairs of such a score that were right on held-out folds, or None: without a text, and for a known pair of a known drug or disease.
        status: ``treats``, ``palliates``, ``clinical``, ``contraindicated``, ``non_indication`` …, ``novel`` where nothing is known; several joined by +.
        sources: Where the status comes from.
        licences: Of those sources, in their order.
        neighbours: Known drugs of this disease that resemble the query (or known diseases of this drug).
        targets: Genes that the query acts on and known drugs of this disease as well (or that the drug acts on, where a disease asks).
        words: Words of the query and by how much the score falls without each.
        other_words: The same for the words of the hit's own text.
        smiles: Of a drug that is hit.
    """

    rank: int
    id: str
    name: str
    score: float
    probability: float | None
    status: str
    sources: tuple[str, ...]
    neighbours: tuple[Neighbour, ...]
    licences: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    words: tuple[tuple[str, float], ...] = ()
    other_words: tuple[tuple[str, float], ...] = ()
    smiles: str = ""


@dataclass(frozen=True)
class Vote:
    """A mechanism or class that the nearest known drugs share, and the share of their weight that stands for it [0, 1]."""

    term: str
    share: float
    drugs: tuple[str, ...]


@dataclass(frozen=True)
class Ranking:
    """The answer to a query: hits, warnings on its reliability, and the banner that it is for research.

    Attributes:
        abstained: The query is far from everything known, or no hit is likely: the order below is a guess and should not be used.
        votes: Mechanisms and classes of the nearest known drugs, where a drug asked.
        read_as: The known disease that a description says the same as, and how alike the texts are; the statuses of the hits are then of that one. Else empty.
    """

    query: str
    of: str
    hits: tuple[Hit, ...]
    warnings: tuple[str, ...] = ()
    abstained: bool = False
    votes: tuple[Vote, ...] = ()
    banner: str = BANNER
    read_as: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{self.of} for: {self.query}", *(f"warning: {text}" for text in self.warnings)]
        if self.abstained:
            lines.append("NO ANSWER: the linker abstains; what follows is a guess")
        if self.read_as:
            lines.append(f"nearest known disease: {self.read_as}; what is said to be known below is of it")
        if self.votes:
            lines.append("class of the nearest known drugs: " + ", ".join(f"{vote.term} {vote.share:.0%}" for vote in self.votes))
        for hit in self.hits:
            chance = f"  p {hit.probability:.2f}" if hit.probability is not None else ""
            told = [f"{source}: {licence}" for source, licence in zip(hit.sources, hit.licences, strict=False)] or list(hit.sources)
            lines.append(f"{hit.rank:3d}. {hit.name}  [{hit.id}]  score {hit.score:.2f}{chance}  {hit.status}" + (f" ({'; '.join(told)})" if told else ""))
            for label, texts in (("near", map(str, hit.neighbours)), ("targets", hit.targets[:8])):
                if shown := list(texts):
                    lines.append(f"       {label}: " + "; ".join(shown))
            for label, words in (("words", hit.words), ("words of the hit", hit.other_words)):
                if words:
                    lines.append(f"       {label}: " + ", ".join(f"{word} {change:+.2f}" for word, change in words))
        return "\n".join([*lines, self.banner])


def occlusions(text: str, most: int = 60) -> tuple[list[str], list[str]]:
    """The words of a text that are worth leaving out, and the text without each; both empty where there is nothing to leave out.

    Args:
        text: Any.
        most: Words tried, from the start of the text.
    """
    found = list(re.finditer(r"[\w-]+", text))[:most]
    tried = [match for match in found if len(match.group()) > 2]
    if len(found) < 2:
        return [], []
    return [match.group() for match in tried], [text[: match.start()] + text[match.end() :] for match in tried]


def word_changes(words: Sequence[str], whole: float, without: np.ndarray, top: int = 5) -> tuple[tuple[str, float], ...]:
    """Words by how much the score falls when each is left out, the most telling first."""
    changes = [(word, float(whole - value)) for word, value in zip(words, without, strict=True)]
    return tuple(sorted(changes, key=lambda pair: -abs(pair[1]))[:top])


def occlude(text: str, score: Callable[[Sequence[str]], np.ndarray], top: int = 5, most: int = 60) -> tuple[tuple[str, float], ...]:
    """:func:`word_changes` of one text under one score (texts → ``[n]``)."""
    words, variants = occlusions(text, most)
    if not words:
        return ()
    values = score([text, *variants])
    return word_changes(words, float(values[0]), values[1:], top)
