"""Where a model errs: its scores by how often the training part has the molecule's scaffold, by how near its nearest training molecule is, and by activity cliffs.

An activity cliff is a molecule whose measured value lies far from that of a training molecule much like it. A model that learnt the training part will say a value near that
of the neighbour, and be wrong: the score on cliffs says what a model knows beyond its neighbours.

Source: cliffs and their part in the error: van Tilborg, Alenicheva and Grisoni, J. Chem. Inf. Model. 2022, 62, 5938 (10.1021/acs.jcim.2c01073), whose limits are similarity 0.9 and
tenfold potency; scaffolds: Bemis and Murcko 1996 (10.1021/jm9602928).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from drugai.contracts import Dataset, Predictions, Task
from drugai.errors import DatasetError
from drugai.metrics.property import Estimate, estimate
from drugai.molecules import MoleculeBatch, fingerprint, nearest
from drugai.molecules.scaffolds import murcko_scaffolds
from drugai.training.rows import batch_of

SCAFFOLD = "scaffold in training"
DISTANCE = "nearest training molecule"
CLIFF = "activity cliff"
SCAFFOLD_STEPS = ((1, "never"), (5, "1-4 times"), (20, "5-19 times"))
DISTANCE_STEPS = ((0.3, "under 0.3"), (0.5, "0.3-0.5"), (0.7, "0.5-0.7"))
ALIKE = 0.7
"""Tanimoto similarity (Morgan, radius 2, 2,048 bits) from which a training molecule makes a cliff possible."""
METRIC = {"regression": "mae", "binary": "brier", "multiclass": "accuracy"}
"""The measure of a group: one that a group of one class has too, and in which groups of different spread compare."""


@dataclass(frozen=True)
class Breakdown:
    """Scores of groups of molecules.

    Attributes:
        data: Name of the data set.
        metrics: Task → metric of its groups.
        scores: Task → view → group → score; the groups of a view hold each measured molecule once.
    """

    data: str
    metrics: Mapping[str, str]
    scores: Mapping[str, Mapping[str, Mapping[str, Estimate]]]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            task: {"metric": self.metrics[task], **{view: {group: found.to_dict() for group, found in groups.items()} for view, groups in views.items()}}
            for task, views in self.scores.items()
        }

    def __str__(self) -> str:
        lines = []
        for task, views in self.scores.items():
            lines.append(f"  {task}: {self.metrics[task]} by group")
            for view, groups in views.items():
                lines.append(f"    {view}")
                lines.extend(f"      {group:26s} {found}  (n = {found.n})" for group, found in groups.items())
        return "\n".join(lines)


def break_down(predictions: Predictions, data: Dataset, train: Dataset, *, seed: int = 0) -> Breakdown:
    """Scores of groups of measured molecules.

    Args:
        predictions: For the n molecules of ``data``.
        data: n measured molecules, with the tasks of the predictions (matched by name).
        train: The molecules that the model was fitted on, with their values.
        seed: Of the bootstrap.

    Raises:
        DatasetError: Numbers of rows differ, or no training molecule can be read.
    """
    if len(predictions) != len(data):
        raise DatasetError(f"{data.name}: {len(predictions)} predictions for {len(data)} molecules; give one a row")
    names = [task.name for task in predictions.tasks]
    data, train = data.select(names), train.select(names)
    asked, known = batch_of(data), batch_of(train)
    kept = np.flatnonzero(known.valid)
    if not len(kept):
        raise DatasetError(f"{train.name}: no training molecule can be read")
    views = {SCAFFOLD: scaffold_groups(asked, known), DISTANCE: distance_groups(asked, known)}
    scores = {}
    for index, task in enumerate(predictions.tasks):
        found = {**views, CLIFF: cliff_groups(asked, data.y[:, index], known, train.y[:, index], task)}
        metric = METRIC[task.kind]
        scores[task.name] = {
            view: {name: estimate(metric, data.y[rows, index], predictions.mean[rows, index], seed=seed) for name, rows in groups.items()} for view, groups in found.items()
        }
    return Breakdown(data.name, {task.name: METRIC[task.kind] for task in predictions.tasks}, scores)


def scaffold_groups(asked: MoleculeBatch, known: MoleculeBatch) -> dict[str, np.ndarray]:
    """Rows of readable molecules by how often the training molecules have their scaffold; acyclic molecules have the empty one in common."""
    texts = [text for text, fine in zip(murcko_scaffolds(known), known.valid, strict=True) if fine]
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    often = np.array([counts.get(text, 0) for text in murcko_scaffolds(asked)], dtype=float)
    return _by_steps(often, asked.valid, SCAFFOLD_STEPS, "20 times or more")


def distance_groups(asked: MoleculeBatch, known: MoleculeBatch) -> dict[str, np.ndarray]:
    """Rows of readable molecules by the Tanimoto similarity to the nearest training molecule."""
    return _by_steps(_nearest(asked, known)[0], asked.valid, DISTANCE_STEPS, "0.7 or more")


def cliff_groups(asked: MoleculeBatch, y: np.ndarray, known: MoleculeBatch, known_y: np.ndarray, task: Task) -> dict[str, np.ndarray]:
    """Rows of readable, measured molecules: on a cliff, beside a training molecule of like value, or without one that is like it.

    Args:
        asked, y: n molecules and their values ``[n]``.
        known, known_y: The training molecules and theirs.
        task: Says what a cliff is (:func:`cliff_height`).
    """
    measured = np.flatnonzero(known.valid & ~np.isnan(known_y))
    rows = asked.valid & ~np.isnan(y)
    if not len(measured):
        return {"no like molecule": np.flatnonzero(rows)}
    similarity, at = _nearest(asked, known.take(measured))
    alike = similarity >= ALIKE
    step = np.abs(y - known_y[measured][at])
    cliff = step >= cliff_height(task, known_y[measured])
    return {
        "on a cliff": np.flatnonzero(rows & alike & cliff), "like its neighbour": np.flatnonzero(rows & alike & ~cliff), "no like molecule": np.flatnonzero(rows & ~alike)
    }  # fmt: skip


def cliff_height(task: Task, known: np.ndarray) -> float:
    """The difference that makes a cliff: 1 (tenfold) in a logarithmic unit, one standard deviation of the training values in another, another class of classes."""
    if task.kind != "regression":
        return 0.5
    return 1.0 if "log" in task.unit.lower() else float(np.std(known))


def _nearest(asked: MoleculeBatch, known: MoleculeBatch) -> tuple[np.ndarray, np.ndarray]:
    kept = np.flatnonzero(known.valid)
    value, at = nearest(fingerprint(asked, "morgan", bits=2048, radius=2), fingerprint(known, "morgan", bits=2048, radius=2)[kept], 1)
    return value[:, 0], kept[at[:, 0]]


def _by_steps(values: np.ndarray, fine: np.ndarray, steps: tuple[tuple[float, str], ...], last: str) -> dict[str, np.ndarray]:
    edges = [edge for edge, _ in steps]
    place = np.digitize(values, edges)
    return {name: np.flatnonzero(fine & (place == number)) for number, name in enumerate([*(name for _, name in steps), last])}
