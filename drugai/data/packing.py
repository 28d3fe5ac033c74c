"""Groups of rows → train, valid and test of the sizes asked for.

First fit, the rule of DeepChem: walk the groups in their order, put each into train while it fits, else into valid while train and valid together do not
pass their share, else into test. Where one group is too large for that rule to come within 2 % of the molecules, the groups are dealt again, largest
first, each to the part that lacks most. No part is left empty; what still cannot be met is logged with its reason. Fewer than three groups are refused.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from drugai.data.grouping import Groups
from drugai.errors import DatasetError

log = logging.getLogger(__name__)

TOLERANCE = 0.02
"""A part may miss its share by this fraction of all molecules before a reason is due."""

PARTS = ("train", "valid", "test")


def pack(groups: Groups, fractions: Sequence[float] | np.ndarray, method: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Deal groups to three parts.

    Args:
        groups: Rows of each group, in the order in which they are dealt.
        fractions: Shares of train, valid and test, adding to 1.
        method: Name of the split, for the words of a warning or an error.

    Returns:
        Rows of train, valid and test, each ascending.

    Raises:
        DatasetError: there are fewer than three groups.
    """
    sizes = np.array([len(group) for group in groups], dtype=np.int64)
    if sizes.size < len(PARTS):
        raise DatasetError(
            f"split {method!r}: {_count(sizes.size)} for three parts of {int(sizes.sum()):,} rows; use another method (random takes a group a molecule)"
        )
    share = np.asarray(fractions, dtype=float)
    best = first_fit(sizes, share)
    if deviation(sizes, best, share) > TOLERANCE:
        dealt = deal(sizes, share)
        if deviation(sizes, dealt, share) < deviation(sizes, best, share):
            best = dealt
    best = fill_empty(sizes, best)
    _explain(np.bincount(best, weights=sizes, minlength=3), sizes, share, method)
    return tuple(np.sort(np.concatenate([groups[i] for i in np.flatnonzero(best == part)])) for part in range(3))  # type: ignore[return-value]


def first_fit(sizes: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Part (0, 1, 2) of each group by DeepChem's rule: the last part takes what does not fit."""
    total = sizes.sum()
    # a millionth of a molecule of slack: 0.8 + 0.1 is 0.9000000000000001 in floating point
    train_end, valid_end = share[0] * total + 1e-6, (share[0] + share[1]) * total + 1e-6
    parts = np.empty(sizes.size, dtype=np.int64)
    train = valid = 0
    for group, size in enumerate(sizes.tolist()):
        if train + size <= train_end:
            parts[group] = 0
            train += size
        elif train + valid + size <= valid_end:
            parts[group] = 1
            valid += size
        else:
            parts[group] = 2
    return parts


def deal(sizes: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Part of each group when the largest group goes first and each goes to the part that lacks most molecules."""
    parts = np.empty(sizes.size, dtype=np.int64)
    lacking = share * sizes.sum()
    for group in np.argsort(-sizes, kind="stable").tolist():
        part = int(np.argmax(lacking))
        parts[group] = part
        lacking[part] -= sizes[group]
    return parts


def fill_empty(sizes: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """No part without a group: an empty one takes the smallest group of the part that has most groups (of three or more groups)."""
    parts = parts.copy()
    for part in range(3):
        if not (parts == part).any():
            giver = int(np.bincount(parts, minlength=3).argmax())
            owned = np.flatnonzero(parts == giver)
            parts[owned[np.argmin(sizes[owned])]] = part
    return parts


def deviation(sizes: np.ndarray, parts: np.ndarray, share: np.ndarray) -> float:
    """Largest difference between a part's share got and asked."""
    return float(np.abs(np.bincount(parts, weights=sizes, minlength=3) / sizes.sum() - share).max())


def _explain(filled: np.ndarray, sizes: np.ndarray, share: np.ndarray, method: str) -> None:
    total, largest = int(sizes.sum()), int(sizes.max())
    if np.abs(filled / total - share).max() > TOLERANCE:
        log.warning(
            "split %r: asked for %s %%, got %s %%: the largest of %s holds %d of %d molecules (%.0f %%) and groups are not divided",
            method,
            " / ".join(f"{100 * part:.1f}" for part in share),
            " / ".join(f"{100 * part / total:.1f}" for part in filled),
            _count(sizes.size),
            largest,
            total,
            100 * largest / total,
        )


def _count(groups: int) -> str:
    return "1 group" if groups == 1 else f"{groups:,} groups"
