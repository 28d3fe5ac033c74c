"""Charts of the candidates page: the course of the run, the front, properties against a reference, the map of chemical space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

from drugai.generation.oracle import Scored
from drugai.generation.reading import StoredRun
from drugai.molecules import PROPERTIES, MoleculeBatch, fingerprint
from drugai.reports.hits_table import UNITS, label_of
from drugai.reports.svg import clouds, lines

SHOWN = ("logp", "weight", "qed", "synthetic_accessibility", "tpsa")
_MOST_MEASURED = 2000
_MOST_MAPPED = 400


def course_charts(stored: StoredRun) -> list[Markup]:
    """Scores and diversity against scored molecules; nothing for a run that wrote no course."""
    if not stored.steps:
        return []
    used = [step.used for step in stored.steps]
    scores = {"mean of the ten best": (used, [step.top10 for step in stored.steps]), "mean of the step": (used, [step.mean for step in stored.steps])}
    scores["best"] = (used, [step.best for step in stored.steps])
    return [
        lines(scores, x_label="molecules scored", y_label="total"),
        lines({"of the 100 best": (used, [step.diversity for step in stored.steps])}, x_label="molecules scored", y_label="diversity"),
    ]


def front_chart(stored: StoredRun, front: Sequence[Scored]) -> Markup:
    """The first two objectives against each other: every scored molecule that failed nothing, and the front."""
    first, second = stored.objectives[:2]
    on = {one.smiles for one in front}
    others = [one for one in stored.scored if one.smiles not in on and one.total > 0][-_MOST_MEASURED:]

    def group(some: Sequence[Scored]) -> tuple[list[float], list[float], list[str]]:
        return [one.parts[first] for one in some], [one.parts[second] for one in some], [one.smiles for one in some]

    return clouds({"scored": group(others), "front": group(front)}, x_label=f"{label_of(first)}, 0 to 1", y_label=f"{label_of(second)}, 0 to 1")


def property_charts(groups: Mapping[str, MoleculeBatch]) -> list[Markup]:
    """Shares of molecules along some properties, a line a group."""
    found = []
    for name in SHOWN:
        values = {group: np.asarray(PROPERTIES[name](batch.take(_spread(len(batch), _MOST_MEASURED))), float) for group, batch in groups.items() if len(batch)}
        known = {group: some[np.isfinite(some)] for group, some in values.items()}
        together = np.concatenate(list(known.values())) if known else np.zeros(0)
        if len(together) < 2 or together.min() == together.max():
            continue
        low, high = (float(np.percentile(together, end)) for end in (0.5, 99.5))
        edges = np.linspace(low, high, 25)
        middle = ((edges[1:] + edges[:-1]) / 2).tolist()
        series = {group: (middle, (np.histogram(some, edges)[0] / max(1, len(some))).tolist()) for group, some in reversed(known.items())}
        unit = UNITS.get(name)
        found.append(lines(series, x_label=label_of(name) + (f" [{unit}]" if unit else ""), y_label="share", size=(520, 230)))
    return found


def space_map(stored: StoredRun, candidates: MoleculeBatch, actives: MoleculeBatch | None, reference: MoleculeBatch | None, name: str) -> Markup:
    """First two principal components of Morgan fingerprints: reference, everything scored, known actives, candidates."""
    scored = MoleculeBatch([one.smiles for one in stored.scored])
    groups = {name: reference, "scored": scored, "known actives": actives, "candidates": candidates}
    some = {group: batch.take(_spread(len(batch), _MOST_MAPPED)) for group, batch in groups.items() if batch is not None and len(batch)}
    bits = np.concatenate([fingerprint(batch) for batch in some.values()]).astype(np.float32)
    if len(bits) < 3:
        return Markup("")
    centred = bits - bits.mean(0)
    axes, spread, _ = np.linalg.svd(centred, full_matrices=False)
    placed = axes[:, :2] * spread[:2]  # [n, 2]
    shares = spread**2 / max(float((spread**2).sum()), 1e-12)
    drawn, at = {}, 0
    for group, batch in some.items():
        part = placed[at : at + len(batch)]
        at += len(batch)
        drawn[group] = (part[:, 0].tolist(), part[:, 1].tolist(), [f"{group}: {smi}" for smi in batch.smiles])
    return clouds(drawn, x_label=f"first component ({shares[0]:.0%} of the variance)", y_label=f"second component ({shares[1]:.0%})")


def _spread(n: int, most: int) -> np.ndarray:
    """Up to ``most`` rows of n, evenly spread."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int)) if n else np.zeros(0, dtype=int)
