"""Molecules around given ones by small edits of the graph: the second engine of constrained generation, which needs no prior and spells every element it edits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import numpy as np
from rdkit import Chem, rdBase

from drugai.errors import ConfigError
from drugai.generation.attachment import joined, read_fragments, read_scaffold, rooted
from drugai.generation.constrained import Constrained, near_to
from drugai.generation.edits import mutate
from drugai.generation.genetic import Gate, GeneticConfig, finish
from drugai.generation.molgraph import MolGraph
from drugai.molecules import MoleculeBatch
from drugai.runtime import derive_seed

Kept = Callable[[MoleculeBatch], np.ndarray]
_ROUND = 500
_TRIES = 200  # edits a wanted molecule after which fewer are given


def edit_around(
    molecules: Sequence[str] | MoleculeBatch, n: int, *, seed: int = 0, min_similarity: float = 0.4, most_edits: int = 4, config: GeneticConfig | None = None
) -> Constrained:
    """Neighbours of given molecules by up to ``most_edits`` edits: atoms appended, inserted, deleted or changed, bonds changed, rings opened or closed.

    Args:
        molecules: At least one that can be edited (one part, no radical; stereo marks are lost).
        n: Different molecules wanted; fewer are given where 200 edits a molecule do not find them.
        seed: The same seed gives the same list.
        min_similarity: Least Tanimoto similarity (Morgan, radius 2, 2,048 bits) to the nearest given molecule.
        most_edits: Edits between a given molecule and its neighbour.
        config: Elements, rings and size that are let in.

    Raises:
        ConfigError: No given molecule can be edited.
    """
    batch = MoleculeBatch.of(molecules)
    return walk([smi for smi in batch.canonical if smi], near_to(batch, min_similarity), n, seed=seed, most_edits=most_edits, config=config)


def edit_scaffold(scaffold: str, n: int, *, seed: int = 0, most_edits: int = 12, config: GeneticConfig | None = None) -> Constrained:
    """Substituents at the points of a scaffold, grown by edits from methyl groups. The arguments are those of :func:`edit_around`; raises ConfigError as :func:`decorate` does."""
    given = read_scaffold(scaffold)
    mol = given.mol
    for point in given.points:
        grown = joined(mol, point, "C")
        if grown is None:
            raise ConfigError(f"the scaffold {scaffold!r} bears no methyl group at point {point}; look at its valences")
        mol = grown
    return walk([Chem.MolToSmiles(mol)], given.kept_by, n, seed=seed, most_edits=most_edits, config=config)


def edit_linker(fragments: str, n: int, *, seed: int = 0, most_edits: int = 12, config: GeneticConfig | None = None) -> Constrained:
    """Linkers between two fragments, grown by edits from a CH₂ group. The arguments are those of :func:`edit_around`; raises ConfigError as :func:`link` does."""
    first, second = read_fragments(fragments)
    start = joined(first.mol, first.points[0], "C" + rooted(second.mol))
    if start is None:
        raise ConfigError(f"{fragments!r} cannot be joined by a CH2 group; look at the valences of the two points")

    least = 1 + sum(atom.GetAtomicNum() > 0 for part in (first, second) for atom in part.mol.GetAtoms())

    def kept(batch: MoleculeBatch) -> np.ndarray:
        long_enough = np.array([mol is not None and mol.GetNumHeavyAtoms() >= least for mol in batch.mols], dtype=bool)
        return np.asarray(long_enough & first.kept_by(batch) & second.kept_by(batch))

    return walk([Chem.MolToSmiles(start)], kept, n, seed=seed, most_edits=most_edits, config=config)


def walk(starts: Sequence[str], kept: Kept, n: int, *, seed: int, most_edits: int, config: GeneticConfig | None = None) -> Constrained:
    """Different molecules that ``kept`` admits, each one edit from a start or from one found before, at most ``most_edits`` from a start."""
    gate = Gate.of(config or GeneticConfig())
    pool = [(graph, 0) for graph in map(MolGraph.read, starts) if graph is not None]
    if not pool:
        raise ConfigError(f"none of the {len(starts)} molecules to start from can be edited: one part, no radicals, elements B C N O F P S Cl Br I; the first is {next(iter(starts), '')!r}")
    found, number = Constrained(n), 0
    while len(found) < n and found.drawn < _TRIES * n + _ROUND:
        rng = Random(derive_seed(seed, "walk", number))
        made: list[tuple[str, MolGraph, int]] = []
        with rdBase.BlockLogs():
            for _ in range(_ROUND):
                graph, depth = pool[rng.randrange(len(pool))]
                child = mutate(graph, rng, gate.numbers) if depth < most_edits else None
                smi = "" if child is None else finish(child, gate)
                if child is not None and smi:
                    made.append((smi, child, depth + 1))
        batch = MoleculeBatch([smi for smi, _, _ in made])
        good = kept(batch)
        before = set(found.smiles)
        found.take(_ROUND, batch, good)
        new = set(found.smiles) - before
        for (_, graph, depth), canonical in zip(made, batch.canonical, strict=True):
            if canonical in new:
                new.discard(canonical)
                pool.append((graph, depth))
        number += 1
    return found

