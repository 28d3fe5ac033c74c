"""What is wrong with a data set, and what a split lets through: duplicates, contradictions, unreadable rows, look-alikes across the parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drugai.contracts import Dataset, Split
from drugai.data.grouping import by_molecule, canonical_smiles

NEAR = 0.9
"""Tanimoto similarity (Morgan, radius 2, 2,048 bits) from which two molecules count as near-identical."""

CONTRADICTION = 0.5
"""Repeated measurements contradict each other beyond this part of the task's standard deviation; classes wherever they differ."""

SHOWN = 10


@dataclass(frozen=True)
class Contradiction:
    """Rows of one molecule whose values of a task do not agree."""

    task: str
    rows: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Leak:
    """What one part shares with another that it should not have seen.

    Attributes:
        part: The part that judges or chooses (test or valid).
        other: The part that is learnt from or chooses.
        molecules: Molecules in ``part``.
        identical: Rows of ``part`` whose molecule is also in ``other``.
        near: Rows of ``part`` with a look-alike in ``other`` at ``threshold`` or more, the identical ones among them.
        median: Median over ``part`` of the similarity to the nearest molecule of ``other``.
        pairs: Up to ten pairs (row of ``part``, row of ``other``, similarity), the most similar first.
    """

    part: str
    other: str
    molecules: int
    identical: int
    near: int
    median: float
    pairs: tuple[tuple[int, int, float], ...]


@dataclass(frozen=True)
class AuditReport:
    """Findings on a data set and, where one was given, on a split of it."""

    name: str
    rows: int
    unreadable: tuple[tuple[int, str], ...]
    """Row and reason."""
    unlabelled: int
    """Readable rows without any value, where there are tasks."""
    duplicates: tuple[tuple[int, ...], ...]
    """Rows of each molecule that stands there more than once."""
    contradictions: tuple[Contradiction, ...]
    sizes: tuple[int, int, int] | None = None
    leaks: tuple[Leak, ...] = ()
    threshold: float = NEAR

    @property
    def repeated_rows(self) -> int:
        """Rows beyond the first of their molecule."""
        return sum(len(rows) - 1 for rows in self.duplicates)

    @property
    def clean(self) -> bool:
        """True where no molecule lies in two parts, nothing is unreadable and nothing contradicts itself."""
        return not self.unreadable and not self.contradictions and all(leak.identical == 0 for leak in self.leaks)

    def to_text(self) -> str:
        """The report in lines of text; also what ``str`` gives."""
        lines = [f"{self.name}: {self.rows:,} rows"]
        lines.append(f"  unreadable: {len(self.unreadable):,}" + _examples([f"row {row} ({why})" for row, why in self.unreadable]))
        lines.append(f"  without a label: {self.unlabelled:,}")
        lines.append(
            f"  duplicates: {self.repeated_rows:,} rows repeat one of {len(self.duplicates):,} molecules"
            + _examples([" = ".join(map(str, rows[:4])) for rows in self.duplicates])
        )
        lines.append(
            f"  contradictions: {len(self.contradictions):,}"
            + _examples([f"{one.task}, rows {', '.join(map(str, one.rows[:4]))}: {', '.join(f'{v:g}' for v in one.values[:4])}" for one in self.contradictions])
        )
        if self.sizes is not None:
            lines.append("  parts: train {:,}, valid {:,}, test {:,}".format(*self.sizes))
        for leak in self.leaks:
            lines.append(
                f"  {leak.part} against {leak.other}: {leak.identical:,} identical, {leak.near:,} of {leak.molecules:,} "
                f"({100 * leak.near / leak.molecules:.1f} %) have a look-alike (Tanimoto {self.threshold:g} or more); median similarity to the "
                f"nearest {leak.median:.2f}" + _examples([f"row {a} ~ row {b} ({value:.2f})" for a, b, value in leak.pairs])
            )
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.to_text()


def audit(data: Dataset, split: Split | None = None, *, threshold: float = NEAR) -> AuditReport:
    """Look for unreadable rows, duplicates and contradictions and, given a split, for molecules that two parts share or almost share.

    Two rows are one molecule where their canonical isomeric SMILES are equal. Stereoisomers, and salts of one parent, are different molecules; the
    look-alikes show them, for a Morgan fingerprint without chirality gives two enantiomers a similarity of 1.

    Args:
        data: n molecules.
        split: A split of it.
        threshold: Tanimoto similarity from which two molecules are look-alikes, in (0, 1].

    Example:
        >>> import numpy as np
        >>> from drugai.contracts import Task
        >>> twice = Dataset("twice", ("CCO", "OCC", "CCN"), np.array([[1.0], [0.0], [1.0]]), (Task("toxic", "binary"),))  # ethanol two ways
        >>> audit(twice).contradictions[0].rows
        (0, 1)
    """
    from drugai.molecules.batch import MoleculeBatch

    canonical = canonical_smiles(data.smiles)
    unread = [row for row, text in enumerate(canonical) if not text]
    reasons = MoleculeBatch([data.smiles[row] for row in unread]).reasons
    readable = np.array([row for row, text in enumerate(canonical) if text], dtype=np.int64)
    unlabelled = int(np.isnan(data.y[readable]).all(axis=1).sum()) if data.tasks else 0
    repeated = [tuple(group.tolist()) for group in by_molecule(data, readable) if len(group) > 1]
    return AuditReport(
        name=data.name,
        rows=len(data),
        unreadable=tuple(zip(unread, reasons, strict=True)),
        unlabelled=unlabelled,
        duplicates=tuple(repeated),
        contradictions=tuple(_contradictions(data, repeated)),
        sizes=(len(split.train), len(split.valid), len(split.test)) if split else None,
        leaks=tuple(_leaks(data, split, threshold)) if split else (),
        threshold=threshold,
    )


def _contradictions(data: Dataset, repeated: list[tuple[int, ...]]) -> list[Contradiction]:
    found = []
    for column, task in enumerate(data.tasks):
        values = data.y[:, column]
        known = values[~np.isnan(values)]
        limit = CONTRADICTION * float(np.std(known, dtype=np.float64)) if task.kind == "regression" and known.size else 0.0
        for rows in repeated:
            measured = [row for row in rows if not np.isnan(values[row])]
            if len(measured) > 1 and float(np.ptp(values[measured])) > limit:
                found.append(Contradiction(task.name, tuple(measured), tuple(float(values[row]) for row in measured)))
    return found


def _leaks(data: Dataset, split: Split, threshold: float) -> list[Leak]:
    from drugai.molecules.batch import MoleculeBatch
    from drugai.molecules.fingerprints import fingerprint
    from drugai.molecules.similarity import nearest

    canonical = canonical_smiles(data.smiles)
    prints = {name: fingerprint(MoleculeBatch([data.smiles[row] for row in split.part(name)])) for name in ("train", "valid", "test")}
    leaks = []
    for part, other in (("test", "train"), ("test", "valid"), ("valid", "train")):
        rows, others = split.part(part), split.part(other)
        known = {canonical[row] for row in others.tolist()} - {""}
        identical = sum(canonical[row] in known for row in rows.tolist())
        value, at = nearest(prints[part], prints[other], 1)
        similarity, neighbour = value[:, 0], others[at[:, 0]]
        near = similarity >= threshold
        order = [row for row in np.argsort(-similarity, kind="stable").tolist() if near[row]][:SHOWN]
        pairs = tuple((int(rows[k]), int(neighbour[k]), float(similarity[k])) for k in order)
        leaks.append(Leak(part, other, len(rows), identical, int(near.sum()), float(np.median(similarity)), pairs))
    return leaks


def _examples(texts: list[str]) -> str:
    if not texts:
        return ""
    more = ", …" if len(texts) > 3 else ""
    return f" ({'; '.join(texts[:3])}{more})"
