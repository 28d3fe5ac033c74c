"""Small random changes of a molecule and crossings of two: the moves of the graph genetic algorithm.

Every move takes a :class:`random.Random` and gives a new graph, or None where the drawn place does not allow it. The moves and how often each is drawn follow Jensen 2019; they
are edits of a graph here, not reaction SMARTS.

Source: Jensen, Chem. Sci. 2019, 10, 3567, 10.1039/C8SC05372C.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from drugai.generation.molgraph import MolGraph, fits

Elements = Sequence[int]
Move = Callable[[MolGraph, Random, Elements], MolGraph | None]

ORGANIC: Elements = (6, 7, 8, 9, 16, 17, 35)
"""Atomic numbers of C, N, O, F, S, Cl and Br."""

_NEW_BY_ORDER = {1: None, 2: (6, 7, 8), 3: (6, 7)}  # a new thiocarbonyl or phosphorus ylide is seldom wanted
_LINKS = (6, 7, 8, 16)


def append_atom(graph: MolGraph, rng: Random, elements: Elements = ORGANIC) -> MolGraph | None:
    """Hang a new atom on one that has a hydrogen: by a single bond in 60 %, a double in 35 %, a triple in 5 %."""
    at = rng.randrange(len(graph))
    order = rng.choices((1, 2, 3), (0.6, 0.35, 0.05))[0]
    total = sum(graph.bonds[at].values())
    # sulfur may go from a sulfide to a sulfoxide, and on to a sulfone
    if not fits(graph.atoms[at], total + order):
        return None
    allowed = _NEW_BY_ORDER[order]
    numbers = [number for number in elements if allowed is None or number in allowed]
    if not numbers:
        return None
    child = graph.copy()
    new = child.add_atom((_carbon_twice(numbers, rng), 0))
    child.set_bond(at, new, order)
    return child


def insert_atom(graph: MolGraph, rng: Random, elements: Elements = ORGANIC) -> MolGraph | None:
    """Put a C, N, O or S into a single bond."""
    a, b = _any_bond(graph, rng)
    numbers = [number for number in elements if number in _LINKS]
    if a < 0 or graph.bonds[a][b] != 1 or not numbers:
        return None
    child = graph.copy()
    new = child.add_atom((_carbon_twice(numbers, rng), 0))
    child.set_bond(a, b, 0)
    child.set_bond(a, new, 1)
    child.set_bond(b, new, 1)
    return child


def delete_atom(graph: MolGraph, rng: Random, _elements: Elements = ORGANIC) -> MolGraph | None:
    """Take an atom with at most three neighbours away; its neighbours are joined to the first of them by single bonds."""
    gone = rng.randrange(len(graph))
    around = list(graph.bonds[gone])
    if len(graph) < 4 or not 1 <= len(around) <= 3 or graph.atoms[gone][1]:
        return None
    rng.shuffle(around)
    child, place = graph.part([atom for atom in range(len(graph)) if atom != gone])
    first, *others = (place[atom] for atom in around)
    for other in others:
        if other in child.bonds[first]:
            return None
        child.set_bond(first, other, 1)
    return child if all(fits(child.atoms[atom], sum(child.bonds[atom].values())) for atom in (first, *others)) else None


def change_atom(graph: MolGraph, rng: Random, elements: Elements = ORGANIC) -> MolGraph | None:
    """Make an uncharged atom another element that can hold the same bonds."""
    at = rng.randrange(len(graph))
    total = sum(graph.bonds[at].values())
    now = graph.atoms[at]
    if now[1]:
        return None
    choices = [number for number in elements if number != now[0] and fits((number, 0), total) and (number != 16 or total <= 2)]
    if not choices:
        return None
    child = graph.copy()
    child.atoms[at] = (rng.choice(choices), 0)
    return child


def change_bond(graph: MolGraph, rng: Random, _elements: Elements = ORGANIC) -> MolGraph | None:
    """Give a bond another order from 1 to 3 that both of its atoms can hold."""
    a, b = _any_bond(graph, rng)
    if a < 0:
        return None
    now = graph.bonds[a][b]
    order = rng.choices((1, 2, 3), (0.45, 0.45, 0.1))[0]
    more = order - now
    if not more or not all(fits(graph.atoms[atom], sum(graph.bonds[atom].values()) + more) for atom in (a, b)):
        return None
    child = graph.copy()
    child.set_bond(a, b, order)
    return child


def close_ring(graph: MolGraph, rng: Random, _elements: Elements = ORGANIC) -> MolGraph | None:
    """Join two atoms at a distance of 4 or 5 bonds (rarely 2 or 3) that each have a hydrogen: a new ring of 5 or 6 atoms (rarely 3 or 4)."""
    start = rng.randrange(len(graph))
    if graph.free(start) < 1:
        return None
    distance = rng.choices((2, 3, 4, 5, 6), (0.05, 0.05, 0.42, 0.45, 0.03))[0]
    layer, seen = [start], {start}
    for _ in range(distance):
        layer = [other for other in dict.fromkeys(other for atom in layer for other in graph.bonds[atom]) if other not in seen]
        seen.update(layer)
    ends = [atom for atom in layer if graph.free(atom) > 0]
    if not ends:
        return None
    child = graph.copy()
    child.set_bond(start, rng.choice(ends), 1)
    return child


def open_ring(graph: MolGraph, rng: Random, _elements: Elements = ORGANIC) -> MolGraph | None:
    """Cut a bond of a ring."""
    acyclic = {frozenset(bond) for bond in graph.bridges()}
    inside = [(a, b) for a, around in enumerate(graph.bonds) for b in around if a < b and frozenset((a, b)) not in acyclic]
    if not inside:
        return None
    child = graph.copy()
    a, b = rng.choice(inside)
    child.set_bond(a, b, 0)
    return child if all(fits(child.atoms[atom], sum(child.bonds[atom].values())) for atom in (a, b)) else None


MOVES: tuple[tuple[Move, float], ...] = (
    (append_atom, 0.15), (insert_atom, 0.14), (delete_atom, 0.14), (change_atom, 0.14), (change_bond, 0.14), (open_ring, 0.14), (close_ring, 0.15),
)  # fmt: skip
"""Each move and how often it is drawn."""

_FUNCTIONS, _SHARES = zip(*MOVES, strict=True)


def mutate(graph: MolGraph, rng: Random, elements: Elements = ORGANIC, *, tries: int = 12) -> MolGraph | None:
    """One random move with new atoms of ``elements``; up to ``tries`` draws, since a place often does not allow the move drawn."""
    for _ in range(tries):
        child: MolGraph | None = rng.choices(_FUNCTIONS, _SHARES)[0](graph, rng, elements)
        if child is not None:
            return child
    return None


def cross(a: MolGraph, b: MolGraph, rng: Random) -> MolGraph | None:
    """A child of two molecules: a part of each, joined at a chain bond or, in half of the cases where both have rings, across a ring."""
    if rng.random() < 0.5:
        return cross_rings(a, b, rng) or cross_chains(a, b, rng)
    return cross_chains(a, b, rng)


def cross_chains(a: MolGraph, b: MolGraph, rng: Random) -> MolGraph | None:
    """Cut a single bond outside rings in each parent and join one side of the first to one side of the second."""
    sides = []
    for graph in (a, b):
        cuts = [(x, y) for x, y in graph.bridges() if graph.bonds[x][y] == 1]
        if not cuts:
            return None
        x, y = rng.choice(cuts)
        keep, cut = (x, y) if rng.random() < 0.5 else (y, x)
        part, place = graph.part(graph.side(keep, [(keep, cut)]))
        sides.append((part, place[keep]))
    (child, at), (other, there) = sides
    offset = _append(child, other)
    child.set_bond(at, offset + there, 1)
    return child


def cross_rings(a: MolGraph, b: MolGraph, rng: Random) -> MolGraph | None:
    """Cut two bonds of a ring in each parent and close one half of the first with one half of the second; a double bond stays where both had one."""
    halves = []
    for graph in (a, b):
        half = _half_of_ring(graph, rng)
        if half is None:
            return None
        halves.append(half)
    (child, ends), (other, others) = halves
    offset = _append(child, other)
    if rng.random() < 0.5:
        others = others[::-1]
    for (at, order), (there, order_there) in zip(ends, others, strict=True):
        if at == offset + there or offset + there in child.bonds[at]:
            return None
        child.set_bond(at, offset + there, min(order, order_there))
    touched = [at for at, _ in ends] + [offset + there for there, _ in others]
    return child if all(fits(child.atoms[atom], sum(child.bonds[atom].values())) for atom in touched) else None


def _half_of_ring(graph: MolGraph, rng: Random) -> tuple[MolGraph, list[tuple[int, int]]] | None:
    """One half of a molecule that is cut at two bonds of a random ring: the part, and its two open ends with the orders of the cut bonds."""
    acyclic = {frozenset(bond) for bond in graph.bridges()}
    inside = [(x, y) for x, around in enumerate(graph.bonds) for y in around if frozenset((x, y)) not in acyclic]
    if not inside:
        return None
    x, y = rng.choice(inside)  # in either direction: x is on the half that is kept
    path = _shortest(graph, y, x)
    steps = [(path[i], path[i + 1]) for i in range(len(path) - 1)]
    rng.shuffle(steps)
    for v, w in steps[:3]:
        kept = graph.side(x, [(x, y), (v, w)])
        if y in kept or v in kept:  # the two cuts do not part a fused ring here
            continue
        part, place = graph.part(kept)
        return part, [(place[x], graph.bonds[x][y]), (place[w], graph.bonds[v][w])]
    return None


def _shortest(graph: MolGraph, start: int, goal: int) -> list[int]:
    """Shortest way from ``start`` to ``goal`` that does not use their own bond."""
    before = {start: -1}
    queue = [start]
    for atom in queue:
        for other in graph.bonds[atom]:
            if other not in before and not (atom == start and other == goal):
                before[other] = atom
                queue.append(other)
        if goal in before:
            break
    way = [goal]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]


def _append(graph: MolGraph, other: MolGraph) -> int:
    """Put the atoms of ``other`` behind those of ``graph``; where they begin."""
    offset = len(graph)
    graph.atoms.extend(other.atoms)
    graph.bonds.extend({offset + atom: order for atom, order in around.items()} for around in other.bonds)
    return offset


def _any_bond(graph: MolGraph, rng: Random) -> tuple[int, int]:
    """A random bond, by a random atom and one of its neighbours; (-1, -1) for a single atom."""
    a = rng.randrange(len(graph))
    around = list(graph.bonds[a])
    return (a, rng.choice(around)) if around else (-1, -1)


def _carbon_twice(numbers: Sequence[int], rng: Random) -> int:
    """One of the elements, carbon twice as often as another."""
    return rng.choice([*numbers, 6] if 6 in numbers else list(numbers))
