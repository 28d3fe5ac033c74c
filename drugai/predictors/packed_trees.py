"""Boosted trees as plain arrays that numpy alone evaluates: no boosting library, no model text, a third of the bytes.

A condition of 1,024 molecules is 16 words of 64 bits. From the root on, the molecules that reach a node are split by its condition with two operations a word; which leaf each molecule
reached is kept as the five bits of the leaf's number. So a tree costs about a hundred operations on words for 64 molecules, with no branch and no pointer.

Source: the numbering of leaves from left to right is that of QuickScorer (Lucchese et al., SIGIR 2015; 10.1145/2766462.2767733); the bits are turned, a word holds one node of 64
molecules where it holds 32 leaves of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from drugai.errors import ConfigError

LEAVES = 32
_BITS = 5  # of a leaf's number
_ROWS, _TREES = 1024, 128  # the 64 nodes and leaves of 128 trees of 1,024 molecules are 1 MB: they stay in a core's second cache
_CONDITIONS = 256  # conditions of 1,024 molecules that are looked at together: 1 MB of values
_LEAVES_WITH = [np.array([LEAVES - 1 + leaf for leaf in range(LEAVES) if leaf >> bit & 1]) for bit in range(_BITS)]
"""Of each bit the places of the leaves whose number has it."""


@dataclass(frozen=True, eq=False)
class Turned:
    """Features of n molecules as trees are asked of them: blocks of at most 1,024 molecules, each ``[k, r]`` float32, ``[k, r]`` where a value is missing, and ``[k]`` features that have such gaps."""

    blocks: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]

    @classmethod
    def of(cls, matrix: np.ndarray) -> Turned:
        """The features ``[n, k]``, turned."""
        blocks = []
        for start in range(0, len(matrix), _ROWS):
            columns = np.ascontiguousarray(matrix[start : start + _ROWS].T, dtype=np.float32)
            lost = np.isnan(columns)
            blocks.append((columns, lost, np.asarray(lost.any(axis=1))))
        return cls(tuple(blocks))


@dataclass(frozen=True, eq=False)
class _Nodes:
    """Inner nodes by slot: ``[31, T]`` condition and places of the children (leaves from 31 on; 63 for a node that is not there), ``[T]`` place of the root and number of inner nodes."""

    condition: np.ndarray
    left: np.ndarray
    right: np.ndarray
    root: np.ndarray
    inner: np.ndarray


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

    def __call__(self, matrix: np.ndarray | Turned) -> np.ndarray:
        """``[n]`` float64 sums of the leaves for features ``[n, k]``; NaN is a missing value. What several sets of trees are asked of is turned once."""
        turned = matrix if isinstance(matrix, Turned) else Turned.of(matrix)
        return np.concatenate([self._block(*block) for block in turned.blocks]) if turned.blocks else np.zeros(0)

    def _block(self, columns: np.ndarray, lost: np.ndarray, gaps: np.ndarray) -> np.ndarray:
        n = columns.shape[1]
        holds = self._conditions(columns, lost, gaps)  # [c + 1, w]
        total = np.zeros(n)
        nodes = self._nodes
        for start in range(0, len(self), _TREES):
            part = slice(start, start + _TREES)
            root, inner = nodes.root[part], nodes.inner[part]
            state = np.zeros((2 * LEAVES, len(root), holds.shape[1]), dtype=np.uint64)  # inner nodes, leaves, and a last place for what is not there
            every = np.arange(len(root))
            state[root, every] = ~np.uint64(0)
            for slot in range(int(inner.max(initial=0))):
                reached = state[slot]
                passed = reached & holds[nodes.condition[slot, part]]
                state[nodes.left[slot, part], every] = passed
                state[nodes.right[slot, part], every] = reached ^ passed
            leaf = np.zeros((len(root), n), dtype=np.uint8)
            for bit in range(_BITS):
                number = np.bitwise_or.reduce(state[_LEAVES_WITH[bit]], axis=0)  # [T', w]
                leaf |= np.unpackbits(number.view(np.uint8), axis=1, count=n, bitorder="little") << np.uint8(bit)
            place = leaf.astype(np.intp)
            place += (np.arange(start, start + len(root)) * LEAVES)[:, None]
            total += self.leaves.reshape(-1).take(place).sum(axis=0, dtype=np.float64)
        return total

    def _conditions(self, columns: np.ndarray, lost: np.ndarray, gaps: np.ndarray) -> np.ndarray:
        """``[c + 1, w]`` uint64: bit i of a row is whether the condition holds for molecule i; the last row is for nodes that are not there."""
        words = -(-columns.shape[1] // 64)
        found = np.zeros((len(self.feature) + 1, words * 8), dtype=np.uint8)
        for begin in range(0, len(self.feature), _CONDITIONS):
            part = slice(begin, begin + _CONDITIONS)
            feature = self.feature[part]
            holds = columns.take(feature, axis=0) <= self.threshold[part, None]
            some = np.flatnonzero(gaps[feature])
            if some.size:
                holds[some] |= lost.take(feature[some], axis=0) & self.missing[part][some, None]
            packed = np.packbits(holds, axis=1, bitorder="little")
            found[begin : begin + len(packed), : packed.shape[1]] = packed
        return found.view(np.uint64)

    @cached_property
    def _nodes(self) -> _Nodes:
        """The nodes by slot. They stand in the order root, left branch, right branch; a left branch of k leaves has k − 1 inner nodes, so that the right child is k places on."""
        count, first = (np.ascontiguousarray(part.T).astype(np.intp) for part in (self.count, self.first))  # [31, T]
        inner = (count > 0).sum(axis=0)
        slots, last = LEAVES - 1, 2 * LEAVES - 1
        used = np.arange(slots)[:, None] < inner
        condition = np.where(used, self.condition.T, len(self.feature))
        left, right = np.full_like(count, last), np.full_like(count, last)
        end = np.zeros((slots + 1, len(self)), dtype=np.intp)  # leaf after the last one of each node
        end[0] = inner + 1
        every = np.arange(len(self))
        for slot in range(int(inner.max(initial=0))):
            middle = first[slot] + count[slot]
            left_inner, right_inner = used[slot] & (count[slot] > 1), used[slot] & (end[slot] - middle > 1)
            left[slot] = np.where(left_inner, slot + 1, np.where(used[slot], slots + first[slot], last))
            right[slot] = np.where(right_inner, slot + count[slot], np.where(used[slot], slots + middle, last))
            end[slot + 1, left_inner] = middle[left_inner]
            end[(slot + count[slot])[right_inner], every[right_inner]] = end[slot, right_inner]
        return _Nodes(condition, left, right, np.where(inner > 0, 0, slots), inner)

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
