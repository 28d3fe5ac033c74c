"""A graph genetic algorithm: parents are drawn by their score, crossed, mutated, and the children looked over. No model is needed.

Source: Jensen, Chem. Sci. 2019, 10, 3567, 10.1039/C8SC05372C; defaults of population, offspring and mutation rate by Gao et al. 2022, arXiv:2206.12411.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from rdkit import Chem, rdBase

from drugai.config import Config, setting, tunable
from drugai.errors import ConfigError
from drugai.generation.edits import cross, mutate
from drugai.generation.molgraph import ELEMENTS, MolGraph

_HALOGENS = (9, 17, 35, 53)


@dataclass(frozen=True)
class GeneticConfig(Config):
    """How the population breeds, and which children are let in."""

    population: int = tunable(120, 20, 1000, log=True, help="molecules kept, the best by score")
    offspring: int = tunable(70, 10, 1000, log=True, help="children a step")
    mutation: float = tunable(0.5, 0.0, 1.0, help="share of crossed children that are mutated as well")
    crossing: float = tunable(0.7, 0.0, 1.0, help="share of children of two parents; the others are mutated copies of one")
    pressure: float = tunable(2.0, 0.0, 8.0, help="parents are drawn in proportion to (score rank from the worst)^pressure")
    most_atoms: int = tunable(50, 10, 200, help="heavy atoms of a child at most")
    largest_ring: int = setting(7, help="atoms of a ring at most")
    elements: str = setting("C N O F S Cl Br", help="elements of a child, by spaces")
    charges: bool = setting(True, help="whether an atom may have a formal charge (nitro groups have)")
    plausible: bool = setting(True, help="refuse halogens on anything but carbon, and peroxides")


@dataclass(frozen=True)
class Gate:
    """What a child must be like: size, elements, rings. Radicals cannot arise, the edits keep every valence."""

    most_atoms: int
    largest_ring: int
    numbers: tuple[int, ...]
    charges: bool
    plausible: bool

    @classmethod
    def of(cls, config: GeneticConfig) -> Gate:
        """The gate of a config. Raises ConfigError for an element that is not edited here."""
        unknown = [symbol for symbol in config.elements.split() if symbol not in ELEMENTS]
        if unknown or not config.elements.split():
            raise ConfigError(f"elements={config.elements!r}: {', '.join(unknown) or 'nothing'} cannot be used; the choices are {' '.join(ELEMENTS)}")
        return cls(config.most_atoms, config.largest_ring, tuple(ELEMENTS[symbol] for symbol in config.elements.split()), config.charges, config.plausible)

    def admits(self, graph: MolGraph) -> bool:
        """Whether size and atoms are allowed, before RDKit sees the graph."""
        if not 3 <= len(graph) <= self.most_atoms:
            return False
        if not all(number in self.numbers and (self.charges or not charge) for number, charge in graph.atoms):
            return False
        return not self.plausible or _plausible(graph)

    def admits_rings(self, graph: MolGraph, rings: Iterable[Sequence[int]]) -> bool:
        """Whether no ring is too large, and none holds a triple bond, two double bonds at one carbon, or a double bond in three or four atoms."""
        for ring in rings:
            if len(ring) > self.largest_ring:
                return False
            doubles = 0
            for at, atom in enumerate(ring):
                order = graph.bonds[atom][ring[at - 1]]
                following = graph.bonds[atom][ring[(at + 1) % len(ring)]]
                if order == 3 or (order == 2 and following == 2 and graph.atoms[atom][0] == 6):
                    return False
                doubles += order == 2
            if doubles and len(ring) < 5:
                return False
        return True


def _plausible(graph: MolGraph) -> bool:
    atoms = graph.atoms
    for (number, _), around in zip(atoms, graph.bonds, strict=True):
        if number in _HALOGENS and any(atoms[other][0] != 6 for other in around):
            return False
        if number == 8 and any(atoms[other][0] == 8 for other in around):
            return False
    return True


def finish(graph: MolGraph, gate: Gate) -> str:
    """Canonical SMILES of a graph that the gate admits, ``""`` for another: the one place where RDKit perceives a child."""
    if not gate.admits(graph):
        return ""
    mol = graph.to_mol()
    if mol is None or not gate.admits_rings(graph, mol.GetRingInfo().AtomRings()):
        return ""
    smi: str = Chem.MolToSmiles(mol)
    return smi


def breed(
    parents: Sequence[MolGraph], weights: Sequence[float], n: int, rng: Random, config: GeneticConfig, *, tries: int = 20
) -> list[tuple[str, MolGraph, str]]:
    """Different children of weighted parents.

    Args:
        parents: Graphs, at least one.
        weights: How likely each is drawn, not all 0.
        n: How many children are wanted.
        rng: Source of every choice: the same state gives the same children.
        config: How to breed and what to let in.
        tries: Draws a wanted child after which fewer are given.

    Returns:
        Up to ``n`` triples: canonical SMILES, graph, and ``crossover``, ``crossover+mutation`` or ``mutation``.
    """
    gate = Gate.of(config)
    upto = list(accumulate(weights))
    found: dict[str, tuple[str, MolGraph, str]] = {}
    with rdBase.BlockLogs():
        for _ in range(tries * n):
            if len(found) >= n:
                break
            first = parents[_drawn(upto, rng)]
            child, origin = None, "mutation"
            if rng.random() < config.crossing:
                child = cross(first, parents[_drawn(upto, rng)], rng)
                origin = "crossover"
                if child is not None and rng.random() < config.mutation:
                    child = mutate(child, rng, gate.numbers) or child
                    origin = "crossover+mutation"
            else:
                child = mutate(first, rng, gate.numbers)
            if child is None:
                continue
            smi = finish(child, gate)
            if smi and smi not in found:
                found[smi] = (smi, child, origin)
    return list(found.values())


def _drawn(upto: Sequence[float], rng: Random) -> int:
    return min(bisect.bisect_right(upto, rng.random() * upto[-1]), len(upto) - 1)


class Population:
    """The best molecules so far, as parents.

    Args:
        config: Size, breeding, gate.
    """

    def __init__(self, config: GeneticConfig | None = None) -> None:
        self.config = config or GeneticConfig()
        self.members: dict[str, tuple[float, MolGraph]] = {}
        self._seen: set[str] = set()
        self._gate = Gate.of(self.config)

    def __len__(self) -> int:
        return len(self.members)

    def add(self, smiles: Sequence[str], scores: Sequence[float], graphs: Sequence[MolGraph | None] | None = None) -> None:
        """Take scored molecules (canonical SMILES) in and keep the best; those that cannot be edited, or that the gate refuses, are left out."""
        floor = self.worst if len(self.members) >= self.config.population else -float("inf")
        for row, (smi, score) in enumerate(zip(smiles, scores, strict=True)):
            if not smi or smi in self._seen:
                continue
            self._seen.add(smi)
            if score <= floor:
                continue
            graph = (graphs[row] if graphs is not None else None) or MolGraph.read(smi)
            if graph is not None and self._gate.admits(graph):
                self.members[smi] = (score, graph)
        self._cut()

    @property
    def worst(self) -> float:
        """Score of the last member; minus infinity for an empty population."""
        return next(reversed(self.members.values()))[0] if self.members else -float("inf")

    def breed(self, n: int, rng: Random) -> list[tuple[str, MolGraph, str]]:
        """Up to ``n`` children that were no member before."""
        if not self.members:
            return []
        graphs = [graph for _, graph in self.members.values()]
        weights = [(len(graphs) - rank) ** self.config.pressure for rank in range(len(graphs))]
        made = breed(graphs, weights, n + n // 4, rng, self.config)
        fresh = [child for child in made if child[0] not in self._seen]
        return fresh[:n]

    def _cut(self) -> None:
        # equal scores: the older one first, so that the order does not hang on anything but the run's own history
        ranked = sorted(self.members.items(), key=lambda item: -item[1][0])
        self.members = dict(ranked[: self.config.population])
