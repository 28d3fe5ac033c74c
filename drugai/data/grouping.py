"""Which rows belong together: the same molecule, scaffold, cluster or value of a column.

A split moves whole groups. Rows of one molecule (equal canonical isomeric SMILES) are always one group, whatever else the grouping says, so a duplicate
and its contradictory labels never lie in two parts.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache

import numpy as np

from drugai.contracts import Dataset
from drugai.data.bounds import has_knowledge
from drugai.errors import DatasetError, nearest

Groups = list[np.ndarray]
"""Rows of each group, ascending; the groups in the order of their first row."""

BUTINA_LIMIT = 30_000
"""Butina clustering compares all pairs: more molecules than this are refused."""


def usable_rows(data: Dataset) -> np.ndarray:
    """Rows that a split may place: the SMILES can be read and, where there are tasks, at least one value was measured or bounded. Ascending int64."""
    readable = np.fromiter((text != "" for text in canonical_smiles(data.smiles)), bool, len(data))
    if data.tasks:
        readable &= has_knowledge(data)
    return np.flatnonzero(readable).astype(np.int64)


@lru_cache(maxsize=4)
def canonical_smiles(smiles: tuple[str, ...]) -> tuple[str, ...]:
    """n canonical isomeric SMILES, ``""`` where one cannot be read. Kept for the last four data sets: a study splits one with many seeds."""
    from drugai.molecules.batch import MoleculeBatch

    return MoleculeBatch(smiles).canonical


@lru_cache(maxsize=4)
def scaffold_smiles(smiles: tuple[str, ...]) -> tuple[str, ...]:
    """n Bemis-Murcko scaffolds without chirality, ``""`` for acyclic and unreadable molecules."""
    from drugai.molecules.batch import MoleculeBatch
    from drugai.molecules.scaffolds import murcko_scaffolds

    return tuple(murcko_scaffolds(MoleculeBatch(smiles)))


def group_by(keys: Sequence[Hashable], rows: np.ndarray) -> Groups:
    """Rows with equal keys; ``keys`` are of the whole data set, ``rows`` the ones to group."""
    found: dict[Hashable, list[int]] = {}
    for row in rows.tolist():
        found.setdefault(keys[row], []).append(row)
    return [np.array(members, dtype=np.int64) for members in found.values()]


def by_molecule(data: Dataset, rows: np.ndarray) -> Groups:
    """One group a molecule."""
    return group_by(canonical_smiles(data.smiles), rows)


def by_scaffold(data: Dataset, rows: np.ndarray) -> Groups:
    """One group a scaffold. All acyclic molecules share the empty scaffold and are one group, as in DeepChem and MoleculeNet."""
    return merge_duplicates(data, group_by(scaffold_smiles(data.smiles), rows))


def by_cluster(data: Dataset, rows: np.ndarray, cutoff: float) -> Groups:
    """One group a Butina cluster of Morgan fingerprints (radius 2, 2,048 bits) at Tanimoto distance ``cutoff``.

    Raises:
        DatasetError: more than ``BUTINA_LIMIT`` molecules.
    """
    from drugai.molecules.batch import MoleculeBatch
    from drugai.molecules.fingerprints import fingerprint
    from drugai.molecules.similarity import butina

    # one representative a molecule: the clustering is quadratic, and duplicates add nothing to it
    molecules = by_molecule(data, rows)
    if len(molecules) > BUTINA_LIMIT:
        raise DatasetError(
            f"data set {data.name!r}: Butina clustering of {len(molecules):,} molecules compares all pairs (limit {BUTINA_LIMIT:,}); split by scaffold instead"
        )
    prints = fingerprint(MoleculeBatch([data.smiles[group[0]] for group in molecules]))
    label = np.full(len(data), -1, dtype=np.int64)
    for members, cluster in zip(molecules, butina(prints, cutoff).tolist(), strict=True):
        label[members] = cluster
    return group_by(label.tolist(), rows)


def by_column(data: Dataset, rows: np.ndarray, column: str) -> Groups:
    """One group a value of a column; two values that share a molecule become one group."""
    values = column_values(data, column)
    return merge_duplicates(data, group_by(values.tolist(), rows))


def merge_duplicates(data: Dataset, groups: Groups) -> Groups:
    """Groups that share a molecule made one (union-find over canonical SMILES), in the order of their first row."""
    canonical = canonical_smiles(data.smiles)
    parent = list(range(len(groups)))

    def root(group: int) -> int:
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    owner: dict[str, int] = {}
    for number, members in enumerate(groups):
        for row in members.tolist():
            first = root(owner.setdefault(canonical[row], number))
            second = root(number)
            parent[max(first, second)] = min(first, second)
    merged: dict[int, list[np.ndarray]] = {}
    for number, members in enumerate(groups):
        merged.setdefault(root(number), []).append(members)
    return sorted((np.sort(np.concatenate(parts)) for parts in merged.values()), key=lambda rows: int(rows[0]))


def column_values(data: Dataset, column: str) -> np.ndarray:
    """A further column of the data set, ``[n]``.

    Raises:
        DatasetError: there is none of this name; those there are and the nearest are named.
    """
    if column in data.columns:
        return np.asarray(data.columns[column])
    near = nearest(column, data.columns)
    hint = f"; did you mean {near!r}?" if near else ""
    there = ", ".join(map(repr, data.columns)) or "none"
    raise DatasetError(f"data set {data.name!r} has no column {column!r}; the columns are {there}{hint}")
