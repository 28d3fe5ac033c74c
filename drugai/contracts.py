"""The nouns that the rooms hand to each other, and the protocols that they promise to keep.

Shapes: n molecules · t tasks · B batch · d width. A missing target is NaN. A *reason* is ``""`` for a row that is fine, else ``"E_CODE: words"``
(:mod:`drugai.errors`). Row law: n in = n out, in the same order, in every public function that takes molecules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np

from drugai.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

TaskKind = Literal["regression", "binary", "multiclass"]


@dataclass(frozen=True)
class Task:
    """One measured quantity: its name, kind and unit (``""`` for a class or a quantity without one)."""

    name: str
    kind: TaskKind
    unit: str = ""
    n_classes: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("regression", "binary", "multiclass"):
            raise DatasetError(f"task {self.name!r} has kind {self.kind!r}; the kinds are regression, binary, multiclass")
        if self.kind == "multiclass" and self.n_classes < 2:
            raise DatasetError(f"multiclass task {self.name!r} needs n_classes of 2 or more, got {self.n_classes}")

    @property
    def label(self) -> str:
        """Name with its unit in brackets: ``logS [log mol/L]``."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


@dataclass(frozen=True, eq=False)
class Dataset:
    """Molecules with measured values.

    Attributes:
        name: Name of the card or stem of the file.
        smiles: n SMILES as they were written, the unreadable ones too.
        y: ``[n, t]`` float32, NaN where nothing was measured.
        tasks: t tasks, one a column of ``y``.
        ids: n identifiers, always strings.
        columns: Further columns by name, each of length n (a split column, a date, a group, descriptors). None of them acts by its name: whoever uses one says which.
        weights: ``[n]`` float32, 0 or more, how much each row counts in training; None where all count the same.
    """

    name: str
    smiles: tuple[str, ...]
    y: np.ndarray
    tasks: tuple[Task, ...]
    ids: tuple[str, ...] = ()
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "smiles", tuple(self.smiles))
        object.__setattr__(self, "tasks", tuple(self.tasks))
        object.__setattr__(self, "ids", tuple(self.ids) or tuple(str(row) for row in range(len(self.smiles))))
        y = np.asarray(self.y, dtype=np.float32)
        object.__setattr__(self, "y", y)
        n, t = len(self.smiles), len(self.tasks)
        if y.shape != (n, t):
            raise DatasetError(f"data set {self.name!r}: y has shape {y.shape}, expected ({n}, {t}) for {n} molecules and {t} tasks")
        if len(self.ids) != n:
            raise DatasetError(f"data set {self.name!r}: {len(self.ids)} ids for {n} molecules")
        for key, values in self.columns.items():
            if len(values) != n:
                raise DatasetError(f"data set {self.name!r}: column {key!r} has {len(values)} values for {n} molecules")
        if self.weights is not None:
            weights = np.asarray(self.weights, dtype=np.float32)
            object.__setattr__(self, "weights", weights)
            if weights.shape != (n,):
                raise DatasetError(f"data set {self.name!r}: weights have shape {weights.shape}, expected ({n},), one a molecule")
            bad = np.flatnonzero(~(weights >= 0) | ~np.isfinite(weights))
            if bad.size:
                shown = ", ".join(f"row {int(row) + 1}: {weights[row]:g}" for row in bad[:10])
                more = f" and {bad.size - 10} more" if bad.size > 10 else ""
                raise DatasetError(f"data set {self.name!r}: {shown}{more} is no weight; weights are numbers of 0 or more")

    def __len__(self) -> int:
        return len(self.smiles)

    def take(self, rows: Sequence[int] | np.ndarray) -> Dataset:
        """The molecules at ``rows``, in that order."""
        index = np.asarray(rows, dtype=np.int64)
        return replace(
            self,
            smiles=tuple(self.smiles[row] for row in index),
            y=self.y[index],
            ids=tuple(self.ids[row] for row in index),
            columns={key: np.asarray(values)[index] for key, values in self.columns.items()},
            weights=None if self.weights is None else self.weights[index],
        )

    def select(self, tasks: Sequence[str]) -> Dataset:
        """The same molecules with the named tasks alone."""
        names = [task.name for task in self.tasks]
        missing = [name for name in tasks if name not in names]
        if missing:
            raise DatasetError(f"data set {self.name!r} has no task {', '.join(map(repr, missing))}; its tasks are {', '.join(names)}")
        index = [names.index(name) for name in tasks]
        return replace(self, y=self.y[:, index], tasks=tuple(self.tasks[i] for i in index))

    @property
    def checksum(self) -> str:
        """sha256 over SMILES, tasks and values: two data sets with the same checksum are the same data."""
        digest = hashlib.sha256()
        digest.update("\n".join(self.smiles).encode())
        digest.update("\n".join(f"{task.name}|{task.kind}|{task.unit}" for task in self.tasks).encode())
        digest.update(np.ascontiguousarray(self.y).tobytes())
        return digest.hexdigest()

    def to_frame(self) -> pd.DataFrame:
        """A pandas table: id, smiles, one column a task, then the further columns."""
        import pandas as pd

        frame = pd.DataFrame({"id": self.ids, "smiles": self.smiles})
        for column, task in enumerate(self.tasks):
            frame[task.name] = self.y[:, column]
        for key, values in self.columns.items():
            frame[key] = values
        return frame


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of a data set in three parts. Refuses overlap and emptiness; rows in no part (unreadable, unlabelled) are allowed."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    method: str
    seed: int = 0

    def __post_init__(self) -> None:
        parts = {}
        for name in ("train", "valid", "test"):
            rows = np.asarray(getattr(self, name), dtype=np.int64)
            object.__setattr__(self, name, rows)
            if rows.size == 0:
                raise DatasetError(f"split {self.method!r}: the {name} part is empty")
            if np.unique(rows).size != rows.size:
                raise DatasetError(f"split {self.method!r}: the {name} part names a row twice")
            parts[name] = rows
        for first, second in (("train", "valid"), ("train", "test"), ("valid", "test")):
            shared = np.intersect1d(parts[first], parts[second])
            if shared.size:
                raise DatasetError(f"split {self.method!r}: {shared.size} rows lie in both {first} and {second} (first: {int(shared[0])})")

    def part(self, name: str) -> np.ndarray:
        """The rows of ``train``, ``valid`` or ``test``."""
        if name not in ("train", "valid", "test"):
            raise DatasetError(f"unknown part {name!r}; the parts are train, valid, test")
        rows: np.ndarray = getattr(self, name)
        return rows

    @property
    def checksum(self) -> str:
        """sha256 over the three parts: scores are comparable only under the same one."""
        digest = hashlib.sha256()
        for name in ("train", "valid", "test"):
            digest.update(name.encode() + b"\0" + np.ascontiguousarray(self.part(name)).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a Predictor says of n molecules.

    Attributes:
        tasks: t tasks.
        mean: ``[n, t]`` value in the task's unit, or probability of class 1; of a multiclass task the most probable class. NaN where there is a reason.
        reasons: n reasons, ``""`` for a row that is fine.
        std: ``[n, t]`` standard deviation over an ensemble or of the noise model, or None.
        lower, upper: ``[n, t]`` ends of the interval at ``level``, or None.
        level: Coverage that the interval is meant to have.
        domain: ``[n]`` similarity to the nearest training molecule in [0, 1], or None.
        domain_limit: Similarity below which a molecule is outside the applicability domain, or None.
        probabilities: For multiclass tasks, name → ``[n, classes]``.
        sets: For binary tasks with an asked level, name → ``[n]`` text: the classes that are not refused, ``"0"``, ``"1"``, ``"0 1"`` or ``""``.
    """

    tasks: tuple[Task, ...]
    mean: np.ndarray
    reasons: tuple[str, ...]
    std: np.ndarray | None = None
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    level: float | None = None
    domain: np.ndarray | None = None
    probabilities: Mapping[str, np.ndarray] = field(default_factory=dict)
    domain_limit: float | None = None
    sets: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", tuple(self.tasks))
        object.__setattr__(self, "reasons", tuple(self.reasons))
        n, t = len(self.reasons), len(self.tasks)
        for name in ("mean", "std", "lower", "upper"):
            values = getattr(self, name)
            if values is not None and np.shape(values) != (n, t):
                raise DatasetError(f"predictions: {name} has shape {np.shape(values)}, expected ({n}, {t})")

    def __len__(self) -> int:
        return len(self.reasons)

    def take(self, rows: Sequence[int] | np.ndarray) -> Predictions:
        """The predictions at ``rows``, in that order."""
        index = np.asarray(rows, dtype=np.int64)
        cut: dict[str, Any] = {name: None if getattr(self, name) is None else getattr(self, name)[index] for name in ("std", "lower", "upper", "domain")}
        probabilities = {name: values[index] for name, values in self.probabilities.items()}
        sets = {name: values[index] for name, values in self.sets.items()}
        return replace(self, mean=self.mean[index], reasons=tuple(self.reasons[row] for row in index), probabilities=probabilities, sets=sets, **cut)

    def task(self, name: str) -> int:
        """The column of a task."""
        names = [task.name for task in self.tasks]
        if name not in names:
            raise DatasetError(f"the model does not predict {name!r}; it predicts {', '.join(names)}")
        return names.index(name)

    def to_columns(self) -> dict[str, np.ndarray]:
        """Columns for a table: value, then std, interval and domain as far as there are any, and the reason last."""
        columns: dict[str, np.ndarray] = {}
        for index, task in enumerate(self.tasks):
            columns[task.name] = self.mean[:, index]
            for suffix in ("std", "lower", "upper"):
                values = getattr(self, suffix)
                if values is not None:
                    columns[f"{task.name}_{suffix}"] = values[:, index]
            if task.name in self.probabilities:
                for label in range(self.probabilities[task.name].shape[1]):
                    columns[f"{task.name}_p{label}"] = self.probabilities[task.name][:, label]
            if task.name in self.sets:
                columns[f"{task.name}_set"] = self.sets[task.name]
        if self.domain is not None:
            columns["domain"] = self.domain
            if self.domain_limit is not None:
                verdict = np.where(self.domain >= self.domain_limit, "in", "out").astype(object)
                verdict[np.isnan(self.domain)] = ""
                columns["in_domain"] = verdict
        columns["reason"] = np.array(self.reasons, dtype=object)
        return columns

    def to_frame(self) -> pd.DataFrame:
        """A pandas table of :meth:`to_columns`."""
        import pandas as pd

        return pd.DataFrame(self.to_columns())


@dataclass(frozen=True, eq=False)
class Scores:
    """What a Scorer says of n molecules: ``total`` ``[n]`` in [0, 1], each term's desirability and raw value ``[n]``, and reasons."""

    total: np.ndarray
    parts: Mapping[str, np.ndarray]
    raw: Mapping[str, np.ndarray]
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.reasons)


@runtime_checkable
class Featurizer(Protocol):
    """Molecules → examples. Pure and picklable; graphs do not depend on atom order, tokens decode back to the string."""

    def featurize(self, molecules: Any) -> Any: ...


@runtime_checkable
class Encoder(Protocol):
    """Batch → ``[B, d]``. Batch size and order do not change a row (evaluation mode, float32, 1e-5)."""

    width: int

    def encode(self, batch: Any) -> Any: ...


@runtime_checkable
class Predictor(Protocol):
    """Molecules → Predictions. Row law; unreadable → NaN row with a reason; the same after save and load."""

    tasks: tuple[Task, ...]

    def predict(self, molecules: Any) -> Predictions: ...

    def save(self, path: str | Path) -> Path: ...


@runtime_checkable
class Scorer(Protocol):
    """Molecules → Scores. Row law; 0 for unreadable; in [0, 1]; short-circuits change no total."""

    def score(self, molecules: Any) -> Scores: ...


@runtime_checkable
class Generator(Protocol):
    """(n, seed) → exactly n SMILES; the same seed gives the same list."""

    def sample(self, n: int, seed: int = 0) -> list[str]: ...
