"""Boosted trees as plain arrays that numpy alone evaluates: no boosting library, no model text, a third of the bytes.

A tree of at most 32 leaves, numbered from left to right, starts with all 32 bits set; every inner node whose condition fails clears the bits of its left branch; the
lowest bit that is left is the leaf. So a batch of molecules goes through many trees in a few dozen array operations, with no branch and no pointer.

Source: QuickScorer, Lucchese et al., SIGIR 2015 (10.1145/2766462.2767733).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from drugai.errors import ConfigError

LEAVES = 32
_FULL = np.uint32(0xFFFFFFFF)
_ROWS, _TREES = 64, 512  # a block of 64 × 512 states is 128 KB: it stays in a core's second cache


@dataclass(frozen=True, eq=False)
class PackedTrees:
    """T trees whose leaves add up to one number.

    Attributes:
        feature: ``[c]`` column of each of c distinct conditions.
        threshold: ``[c]`` float32; the condition holds where the value is at most this.
        missing: ``[c]`` whether it holds where the value is NaN.
        condition: ``[T, 31]`` condition of each inner node; slots that are not used have ``count`` 0.
        first, count: ``[T, 31]`` uint8, first leaf and number of leaves of the node's left branch.
        leaves: ``[T, 32]`` float32, what each leaf adds.
    """

    feature: np.ndarray
    threshold: np.ndarray
    missing: np.ndarray
    condition: np.ndarray
    first: np.ndarray
    count: np.ndarray
    leaves: np.ndarray

    def __len__(self) -> int:
        return len(self.leaves)

    def __call__(self, matrix: np.ndarray) -> np.ndarray:
        """``[n]`` float64 sums of the leaves for features ``[n, k]``; NaN is a missing value."""
        found = np.zeros(len(matrix))
        for start in range(0, len(matrix), _ROWS):
            rows = np.ascontiguousarray(matrix[start : start + _ROWS].T, dtype=np.float32)  # [k, r]
            found[start : start + _ROWS] = self._block(rows)
        return found

    def _block(self, rows: np.ndarray) -> np.ndarray:
        holds = rows[self.feature] <= self.threshold[:, None]  # [c, r]
        lost = np.isnan(rows)
        if lost.any():
            holds |= lost[self.feature] & self.missing[:, None]
        kept = np.where(holds, _FULL, np.uint32(0))  # [c, r]
        total = np.zeros(rows.shape[1])
        for start in range(0, len(self), _TREES):
            part = slice(start, start + _TREES)
            condition, clear, leaves = self.condition[part], self._clear[part], self.leaves[part]
            alive = np.full((len(leaves), rows.shape[1]), _FULL)  # [T', r]
            gathered = np.empty_like(alive)
            for slot in range(condition.shape[1]):
                np.take(kept, condition[:, slot], axis=0, out=gathered, mode="clip")
                gathered |= clear[:, slot, None]
                alive &= gathered
            lowest = alive & (~alive + np.uint32(1))
            leaf = np.bitwise_count(lowest - np.uint32(1)).astype(np.intp)
            leaf += (np.arange(len(leaves)) * LEAVES)[:, None]
            total += leaves.reshape(-1).take(leaf).sum(axis=0, dtype=np.float64)
        return total

    @cached_property
    def _clear(self) -> np.ndarray:
        """``[T, 31]`` the bits that stay when a node's condition fails."""
        bits = ((np.uint64(1) << self.count.astype(np.uint64)) - np.uint64(1)) << self.first.astype(np.uint64)
        return ~bits.astype(np.uint32)

    def to_arrays(self, prefix: str = "") -> dict[str, np.ndarray]:
        """Arrays for a file; conditions as uint16 where they are few enough."""
        small = len(self.feature) <= 65_536
        return {
            f"{prefix}feature": self.feature.astype(np.uint16),
            f"{prefix}threshold": self.threshold,
            f"{prefix}missing": self.missing.astype(np.uint8),
            f"{prefix}condition": self.condition.astype(np.uint16 if small else np.uint32),
            f"{prefix}first": self.first,
            f"{prefix}count": self.count,
            f"{prefix}leaves": self.leaves,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str = "") -> PackedTrees:
        """The trees that :meth:`to_arrays` wrote."""
        found = {name: arrays[f"{prefix}{name}"] for name in ("feature", "threshold", "missing", "condition", "first", "count", "leaves")}
        found["feature"], found["condition"] = found["feature"].astype(np.intp), found["condition"].astype(np.intp)
        found["missing"] = found["missing"].astype(bool)
        return cls(**found)


def pack_boosters(dumps: Sequence[Mapping[str, Any]]) -> PackedTrees:
    """The mean of m LightGBM boosters as one set of trees.

    Args:
        dumps: What ``booster.dump_model()`` gives of each; one output, numeric splits, at most 32 leaves a tree.

    Raises:
        ConfigError: A tree with more leaves, a categorical split, or several classes.
    """
    conditions: dict[tuple[int, float, bool], int] = {}
    condition, first, count, leaves = [], [], [], []
    for dump in dumps:
        if dump["num_tree_per_iteration"] != 1:
            raise ConfigError(f"packed trees have one output; the booster has {dump['num_tree_per_iteration']}")
        for tree in dump["tree_info"]:
            nodes: list[tuple[int, int, int]] = []
            values: list[float] = []
            _walk(tree["tree_structure"], conditions, nodes, values)
            if len(values) > LEAVES:
                raise ConfigError(f"a tree has {len(values)} leaves, packed trees at most {LEAVES}; train with leaves={LEAVES} or fewer")
            nodes += [(0, 0, 0)] * (LEAVES - 1 - len(nodes))
            condition.append([node[0] for node in nodes])
            first.append([node[1] for node in nodes])
            count.append([node[2] for node in nodes])
            leaves.append([value / len(dumps) for value in values] + [0.0] * (LEAVES - len(values)))
    keys = list(conditions) or [(0, 0.0, False)]
    return PackedTrees(
        np.array([key[0] for key in keys], dtype=np.intp),
        np.array([key[1] for key in keys], dtype=np.float32),
        np.array([key[2] for key in keys], dtype=bool),
        np.array(condition, dtype=np.intp).reshape(-1, LEAVES - 1),
        np.array(first, dtype=np.uint8).reshape(-1, LEAVES - 1),
        np.array(count, dtype=np.uint8).reshape(-1, LEAVES - 1),
        np.array(leaves, dtype=np.float32).reshape(-1, LEAVES),
    )


def _walk(node: Mapping[str, Any], conditions: dict[tuple[int, float, bool], int], nodes: list[tuple[int, int, int]], values: list[float]) -> None:
    """Number the leaves from left to right, and note each inner node with its condition and the leaves of its left branch."""
    if "leaf_value" in node:
        values.append(float(node["leaf_value"]))
        return
    if node["decision_type"] != "<=":
        raise ConfigError(f"packed trees have numeric splits; the booster has one of type {node['decision_type']!r}")
    below = np.float32(min(float(node["threshold"]), float(np.finfo(np.float32).max)))  # "every number, but not NaN" is written as 1e300
    if float(below) > float(node["threshold"]):
        below = np.nextafter(below, np.float32(-np.inf))  # features are float32: x ≤ threshold holds for the same values of x
    # without a missing value in training LightGBM reads NaN as 0
    missing = bool(node["default_left"]) if node["missing_type"] == "NaN" else node["threshold"] >= 0
    key = (int(node["split_feature"]), float(below), missing)
    place = len(nodes)
    nodes.append((0, 0, 0))
    begin = len(values)
    _walk(node["left_child"], conditions, nodes, values)
    nodes[place] = (conditions.setdefault(key, len(conditions)), begin, len(values) - begin)
    _walk(node["right_child"], conditions, nodes, values)
