"""Dataset → Split: which molecules are learnt from, which choose the model, which judge it.

| method | groups that stay together | order in which they are dealt to train, valid, test |
|---|---|---|
| ``random`` | rows of one molecule | shuffled by ``seed`` |
| ``scaffold`` | rows of one Bemis-Murcko scaffold; acyclic molecules are one | largest first, no randomness |
| ``scaffold_balanced`` | the same | large ones shuffled first, then the small ones shuffled (chemprop, GROVER) |
| ``butina`` | rows of one cluster of Morgan fingerprints | largest first, no randomness |
| ``time`` | rows of one molecule | oldest first, by the newest date of the molecule |
| ``group`` | rows of one value of a column | large ones shuffled first, then the small ones shuffled |
| ``given`` | – | a column says the part |

In every method rows of one molecule lie in one part, and rows that cannot be read or have no label lie in none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from drugai.catalogue import lookup
from drugai.contracts import Dataset, Split
from drugai.data.given import split_given
from drugai.data.grouping import Groups, by_cluster, by_column, by_molecule, by_scaffold, column_values, usable_rows
from drugai.data.packing import pack
from drugai.data.times import read_times
from drugai.errors import ConfigError, DatasetError

log = logging.getLogger(__name__)

BUTINA_CUTOFF = 0.4
"""Tanimoto distance within which two molecules share a cluster (similarity of 0.6 and more)."""


def split(
    data: Dataset,
    method: str = "scaffold",
    *,
    fractions: Sequence[float] = (0.8, 0.1, 0.1),
    seed: int = 0,
    column: str | None = None,
) -> Split:
    """Divide a data set into train, valid and test.

    The shares come within 2 % of the molecules; where groups are too large for that, the reason is logged. No part is ever empty.

    ``scaffold`` follows DeepChem's rule to the row, so that scores compare with those published: scaffold groups by size, largest first, and among
    groups of one size the one whose first molecule stands later in the file goes first. So reordering a file can exchange groups of equal size;
    ``Split.checksum`` tells.

    Args:
        data: n molecules.
        method: One of ``SPLIT_METHODS``.
        fractions: Shares of train, valid and test, adding to 1. Of ``given`` they say only how much of train becomes valid where none is given.
        seed: Seed of the shuffling; ``scaffold``, ``butina`` and ``time`` do not use it.
        column: The column with the date (``time``), the group (``group``) or the part (``given``, default ``split``).

    Raises:
        ConfigError: unknown method, fractions that do not add to 1, a missing or superfluous column.
        DatasetError: nothing to split, a column that is not there, or fewer than three groups.

    Example:
        >>> from drugai.data import read_dataset
        >>> parts = split(read_dataset("chembl2321810"), "scaffold")
        >>> len(parts.train), len(parts.valid), len(parts.test)
        (813, 102, 102)
    """
    share = _check_fractions(fractions)
    order = lookup("split", method, {**_METHODS, "given": split_given})
    if method not in SPLIT_METHODS:
        return _own(order, data, method, share, seed, column)
    if column is not None and method not in ("time", "group", "given"):
        raise ConfigError(f"split {method!r} takes no column, got {column!r}; time, group and given do")
    if column is None and method in ("time", "group"):
        raise ConfigError(f"split {method!r} needs column=…; the columns of {data.name!r} are {', '.join(data.columns) or 'none'}")
    if method == "given":
        return split_given(data, column or "split", valid_share=share[1] / (share[0] + share[1]), seed=seed)
    rows = usable_rows(data)
    if rows.size == 0:
        raise DatasetError(f"data set {data.name!r}: none of {len(data)} rows can be read and has a label; nothing to split")
    if rows.size < len(data):
        log.info("split %r of %s: %d of %d rows cannot be read or have no label and lie in no part", method, data.name, len(data) - rows.size, len(data))
    groups = order(data, rows, share, np.random.default_rng(seed), column or "")
    train, valid, test = pack(groups, share, method)
    return Split(train, valid, test, method, seed)


def _random(data: Dataset, rows: np.ndarray, share: np.ndarray, random: np.random.Generator, column: str) -> Groups:
    groups = by_molecule(data, rows)
    return [groups[i] for i in random.permutation(len(groups))]


def _scaffold(data: Dataset, rows: np.ndarray, share: np.ndarray, random: np.random.Generator, column: str) -> Groups:
    return largest_first(by_scaffold(data, rows))


def _scaffold_balanced(data: Dataset, rows: np.ndarray, share: np.ndarray, random: np.random.Generator, column: str) -> Groups:
    return large_then_small(by_scaffold(data, rows), share, random)


def _butina(data: Dataset, rows: np.ndarray, share: np.ndarray, random: np.random.Generator, column: str) -> Groups:
    return largest_first(by_cluster(data, rows, BUTINA_CUTOFF))


def _group(data: Dataset, rows: np.ndarray, share: np.ndarray, random: np.random.Generator, column: str) -> Groups:
    return large_then_small(by_column(data, rows, column), share, random)


def _time(data: Dataset, rows: np.ndarray, share: np.ndarray, random: np.random.Generator, column: str) -> Groups:
    times = read_times(column_values(data, column), data.name, column, rows)
    # the newest date of a molecule counts: no value measured later than the cut is ever learnt from
    return sorted(by_molecule(data, rows), key=lambda group: (times[group].max(), int(group[0])))


_METHODS: dict[str, Callable[[Dataset, np.ndarray, np.ndarray, np.random.Generator, str], Groups]] = {
    "random": _random,
    "scaffold": _scaffold,
    "scaffold_balanced": _scaffold_balanced,
    "butina": _butina,
    "time": _time,
    "group": _group,
}

SPLIT_METHODS: tuple[str, ...] = (*_METHODS, "given")


def largest_first(groups: Groups) -> Groups:
    """Largest group first; among equals the one whose first row is later (DeepChem's order)."""
    return sorted(groups, key=lambda group: (len(group), int(group[0])), reverse=True)


def large_then_small(groups: Groups, share: np.ndarray, random: np.random.Generator) -> Groups:
    """Groups of more than half of the valid or test part shuffled first, so that they land in train; then the small ones shuffled (chemprop's rule)."""
    total = sum(len(group) for group in groups)
    limit = min(share[1], share[2]) * total / 2
    shuffled = [groups[i] for i in random.permutation(len(groups))]
    return [group for group in shuffled if len(group) > limit] + [group for group in shuffled if len(group) <= limit]


def _own(function: Callable[..., Split], data: Dataset, method: str, share: np.ndarray, seed: int, column: str | None) -> Split:
    """A registered split: called as ``function(data, fractions=…, seed=…, column=…)``; what it gives is held to the contract."""
    made = function(data, fractions=tuple(share.tolist()), seed=seed, column=column)
    if not isinstance(made, Split):
        raise ConfigError(f"the registered split {method!r} gave {type(made).__name__}, not a Split")
    return made


def _check_fractions(fractions: Sequence[float]) -> np.ndarray:
    share = np.asarray(fractions, dtype=float)
    if share.shape != (3,) or not np.isfinite(share).all() or (share <= 0).any() or abs(share.sum() - 1) > 1e-6:
        raise ConfigError(f"fractions are three positive numbers that add to 1 (train, valid, test), got {tuple(fractions)}")
    return share
