"""Molecular graphs folded to their distinct atom environments, so that a network computes each environment of a library once.

After l steps of message passing the state of an atom depends on what lies within l bonds of it and on nothing else. A library repeats itself: the 85,000 atoms of 4,096 MOSES molecules
have 41 kinds, 1,300 environments of radius 1, 9,700 of radius 2, 22,600 of radius 3 and 35,300 of radius 4. What is folded here is the graph's own refinement (Weisfeiler and Leman):
environments get 64-bit hashes, equal hashes share a row, and a step of the network runs over rows in place of atoms or directed bonds. Two different environments of a batch of 10⁵ share
a hash with a probability of 3·10⁻¹⁰.

The neighbours of a row are listed in the order of their hashes. Sums of rounded numbers then depend neither on the order in which a SMILES was written nor on the molecules beside it.

Source: Weisfeiler and Leman 1968; that graph networks distinguish no more than this, Xu et al., ICLR 2019 (arXiv:1810.00826) and Morris et al., AAAI 2019 (arXiv:1810.02244).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drugai.featurizers.graphs import ATOM_COLUMNS, BOND_CODES, GraphBatch

ROUND = 128
"""Rows of a step are filled up to a multiple of this: the library that multiplies matrices on a CPU makes and keeps a kernel for each shape it meets."""

_FIRST, _SECOND, _THIRD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_BONDS = (np.arange(1, BOND_CODES + 1, dtype=np.uint64) * np.uint64(0xD6E8FEB86659FD93)) ^ np.uint64(0xA5A5A5A5)


@dataclass(frozen=True, eq=False)
class Step:
    """One step of message passing over distinct rows.

    Attributes:
        own: ``[K]`` int64 row that each row carries on: of the step before (environments of atoms), or of the starting rows (environments of bonds; in their last step, of the kinds of atoms).
        source: ``[E]`` int64 rows of the step before that flow in, listed row by row.
        bonds: ``[E]`` int64 bond codes on the way.
        starts: ``[K + 1]`` int64 where each row's sources begin in ``source``; the last is E.
    """

    own: np.ndarray
    source: np.ndarray
    bonds: np.ndarray
    starts: np.ndarray


@dataclass(frozen=True, eq=False)
class Environments:
    """B graphs as distinct environments.

    Attributes:
        kinds: ``[K₀, 7]`` int64 distinct codes of atoms.
        pairs: ``[P, 2]`` int64 distinct starting rows of directed bonds, (row of ``kinds`` of the source, bond code); empty for environments of atoms.
        steps: One a step of the network, in order.
        which: ``[V]`` int64 row of each atom after the last step.
        first: ``[B]`` int64 where each molecule's atoms begin.
    """

    kinds: np.ndarray
    pairs: np.ndarray
    steps: tuple[Step, ...]
    which: np.ndarray
    first: np.ndarray


def atom_environments(batch: GraphBatch, depth: int) -> Environments:
    """Environments for a network whose messages live on atoms (GIN): after step l a row is a distinct environment of radius l.

    Args:
        batch: B graphs, none of them without atoms.
        depth: Steps.
    """
    kinds, which, values = _kinds(batch.atoms)
    into = _Incoming.of(batch)
    steps = []
    for _ in range(depth):
        messages = _stir(values[which[batch.source]] + _BONDS[batch.bonds])  # [E]
        found, chosen, following = _distinct(_mix(values[which] * _SECOND + _mix(into.sums(messages))))
        edges, counts = into.edges(chosen)
        steps.append(_step(which[chosen], edges, counts, messages, which[batch.source[edges]], batch.bonds[edges]))
        which, values = following, found
    return Environments(kinds, np.zeros((0, 2), np.int64), tuple(steps), which, _first(batch))


def bond_environments(batch: GraphBatch, depth: int) -> Environments:
    """Environments for a network whose messages live on directed bonds (D-MPNN): ``depth - 1`` steps over bonds, none of them back, and a last one into the atoms.

    Args:
        batch: B graphs, none of them without atoms; edges 2k and 2k + 1 are the two directions of a bond.
        depth: As chemprop counts: a bond's state after it was made, and ``depth - 1`` updates.
    """
    kinds, kind, kind_values = _kinds(batch.atoms)
    start_values, chosen, start = _distinct(_mix(kind_values[kind[batch.source]] + _BONDS[batch.bonds]))
    pairs = np.stack([kind[batch.source[chosen]], batch.bonds[chosen]], axis=1).astype(np.int64)
    into = _Incoming.of(batch)
    which, values = start, start_values
    steps = []
    for _ in range(depth - 1):
        messages = _stir(values[which])  # [E]
        back = messages.reshape(-1, 2)[:, ::-1].reshape(-1)
        arrived = into.sums(messages)[batch.source] - back
        found, chosen, following = _distinct(_mix(start_values[start] * _SECOND + _mix(arrived)))
        edges, counts = into.edges(batch.source[chosen])
        reverse = edges == np.repeat(chosen ^ 1, counts)
        counts = counts - np.bincount(np.repeat(np.arange(len(chosen)), counts)[reverse], minlength=len(chosen))
        edges = edges[~reverse]
        steps.append(_step(start[chosen], edges, counts, messages, which[edges], batch.bonds[edges]))
        which, values = following, found
    messages = _stir(values[which])
    _, chosen, atoms = _distinct(_mix(kind_values[kind] * _SECOND + _mix(into.sums(messages))))
    edges, counts = into.edges(chosen)
    steps.append(_step(kind[chosen], edges, counts, messages, which[edges], batch.bonds[edges]))
    return Environments(kinds, pairs, tuple(steps), atoms, _first(batch))


@dataclass(frozen=True, eq=False)
class _Incoming:
    """Directed edges by the atom they lead to."""

    order: np.ndarray  # [E] edges, those of an atom side by side
    counts: np.ndarray  # [V]
    starts: np.ndarray  # [V]

    @classmethod
    def of(cls, batch: GraphBatch) -> _Incoming:
        counts = np.bincount(batch.target, minlength=len(batch.atoms))
        order = _order(batch.target.astype(np.uint64) << np.uint64(64 - max(1, len(counts).bit_length())))
        return cls(order, counts, np.cumsum(counts) - counts)

    def sums(self, messages: np.ndarray) -> np.ndarray:
        """``[V]`` uint64 sums, modulo 2⁶⁴, of the messages ``[E]`` into each atom."""
        running = np.zeros(len(messages) + 1, dtype=np.uint64)
        np.cumsum(messages[self.order], out=running[1:])
        ends: np.ndarray = self.starts + self.counts
        return running[ends] - running[self.starts]

    def edges(self, atoms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The edges into each of ``atoms`` ``[k]``, atom after atom, and how many each has ``[k]``."""
        counts = self.counts[atoms]
        ends = np.cumsum(counts)
        places = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(self.starts[atoms] - (ends - counts), counts)
        return self.order[places], counts


def _step(own: np.ndarray, edges: np.ndarray, counts: np.ndarray, messages: np.ndarray, source: np.ndarray, bonds: np.ndarray) -> Step:
    """A step with each row's sources in the order of their messages, filled up to a round number of rows."""
    k = len(counts)
    wide = max(1, k.bit_length())
    row = np.repeat(np.arange(k, dtype=np.uint64) << np.uint64(64 - wide), counts)
    order = _order(row | (messages[edges] >> np.uint64(wide)))
    more = -k % ROUND
    starts = np.zeros(k + more + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1 : k + 1])
    starts[k + 1 :] = starts[k]
    return Step(np.concatenate([own, np.zeros(more, np.int64)]), source[order], bonds[order].astype(np.int64), starts)


def _kinds(atoms: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct rows of codes ``[K₀, 7]``, each atom's row ``[V]``, and the hash of each distinct row ``[K₀]``."""
    sizes = list(ATOM_COLUMNS.values())
    key = atoms[:, 0].astype(np.int64)
    for column, size in enumerate(sizes[1:], start=1):
        key = key * size + atoms[:, column]
    place = np.zeros(int(np.prod(sizes)), dtype=np.int32)  # 617,000 combinations: a table is quicker than sorting
    place[key] = 1
    found = np.flatnonzero(place)
    place[found] = np.arange(len(found), dtype=np.int32)
    kinds = np.stack(np.unravel_index(found, sizes), axis=1).astype(np.int64)
    return kinds, place[key].astype(np.int64), _mix(found.astype(np.uint64) + _FIRST)


def _distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct hashes ``[K]``, a place of each ``[K]``, and the row of every place ``[n]``."""
    order = _order(values)  # two hashes that agree in the bits that order them may lie mixed: a row more, and no harm
    ordered = values[order]
    new = np.ones(len(values), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    which = np.empty(len(values), dtype=np.int64)
    which[order] = np.cumsum(new) - 1
    return ordered[new], order[new], which


def _order(values: np.ndarray) -> np.ndarray:
    """``[n]`` int64 places in the order of the upper bits of ``values`` ``[n]`` uint64, ties in the order of places.

    The lower bits make room for the place itself: sorting numbers is four times as fast as sorting places by numbers.
    """
    mask = np.uint64((1 << max(1, len(values).bit_length())) - 1)
    packed = (values & ~mask) | np.arange(len(values), dtype=np.uint64)
    packed.sort()
    return (packed & mask).astype(np.int64)


def _first(batch: GraphBatch) -> np.ndarray:
    counts = np.bincount(batch.molecule, minlength=batch.size)
    starts: np.ndarray = np.cumsum(counts) - counts
    return starts


def _mix(x: np.ndarray) -> np.ndarray:
    """splitmix64: every bit of the outcome depends on every bit of ``x``."""
    x = (x ^ (x >> np.uint64(30))) * _SECOND
    x = (x ^ (x >> np.uint64(27))) * _THIRD
    mixed: np.ndarray = x ^ (x >> np.uint64(31))
    return mixed


def _stir(x: np.ndarray) -> np.ndarray:
    """A cheaper mix for what was mixed before: enough that a sum of several tells which they were."""
    x = (x ^ (x >> np.uint64(32))) * _THIRD
    stirred: np.ndarray = x ^ (x >> np.uint64(29))
    return stirred
