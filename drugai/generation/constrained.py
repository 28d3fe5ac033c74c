"""Molecules with a part that is given: a decorated scaffold, two linked fragments, neighbours of known molecules. No training: the prior goes on from what is written.

A SMILES is spelled so that the given part comes first and breaks off at the attachment point; the prior writes the rest. What it wrote is read back and checked: the part is kept, with
one substituent at each point and nothing elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from rdkit import Chem

from drugai.errors import ConfigError
from drugai.featurizers.tokens import split_smiles
from drugai.generation.attachment import Scaffold, begins_with_one_bond, joined, open_ends, read_fragments, read_scaffold, rooted, spellings
from drugai.generation.prior import Prior
from drugai.molecules import MoleculeBatch, fingerprint, tanimoto
from drugai.runtime import derive_seed, generator

logger = logging.getLogger(__name__)

_ROUND = 500  # molecules begun at once
_DRAWS = 40  # draws a wanted molecule after which fewer are given
_CUTS = 4  # places of a chain at which the second fragment is tried


@dataclass
class Constrained:
    """Molecules that keep what was given, and how many draws that took.

    Attributes:
        smiles: Different molecules by canonical SMILES, in the order in which they were found.
        wanted: How many were asked for.
        drawn, kept: Draws, and those of them that are molecules which keep what was given (repeats among them).
    """

    wanted: int
    smiles: list[str] = field(default_factory=list)
    drawn: int = 0
    kept: int = 0
    _seen: set[str] = field(default_factory=set, repr=False)

    def __len__(self) -> int:
        return len(self.smiles)

    def __str__(self) -> str:
        share = self.kept / max(1, self.drawn)
        return f"{len(self):,} different molecules of {self.wanted:,} asked for; {self.drawn:,} drawn, {self.kept:,} of them ({share:.0%}) molecules that keep what was given"

    def take(self, drawn: int, batch: MoleculeBatch, kept: np.ndarray) -> None:
        """Count a round of draws and keep what is new in it."""
        self.drawn += drawn
        self.kept += int(kept.sum())
        for smi, good in zip(batch.canonical, kept, strict=True):
            if good and smi not in self._seen and len(self.smiles) < self.wanted:
                self._seen.add(smi)
                self.smiles.append(smi)


def decorate(prior: Prior, scaffold: str, n: int, *, seed: int = 0, temperature: float = 1.0, top_p: float = 1.0) -> Constrained:
    """Put substituents at the attachment points of a scaffold.

    Args:
        prior: Writes the substituents, one point after the other, each knowing those before.
        scaffold: SMILES with points, ``c1ccc([*:1])c([*:2])c1``.
        n: Different molecules wanted; fewer are given where 40 draws a molecule do not find them.
        seed, temperature, top_p: As of :meth:`Prior.sample`.

    Raises:
        ConfigError: The scaffold has no point or cannot be read (an example is shown), or the prior cannot spell it.
    """
    given = read_scaffold(scaffold)
    _refuse_unspellable(prior, given)

    def draw(number: int) -> list[str]:
        made: list[Chem.Mol | None] = [given.mol] * _ROUND
        for point in given.points:
            made = _grown(prior, made, point, derive_seed(seed, "decorate", number, point), temperature, top_p)
        return ["" if mol is None else Chem.MolToSmiles(mol) for mol in made]

    return _collect(n, draw, given.kept_by)


def link(
    prior: Prior, fragments: str, n: int, *, seed: int = 0, temperature: float = 1.0, top_p: float = 1.0, shortest: int = 1, longest: int = 20
) -> Constrained:
    """Join two fragments by a linker.

    The prior goes on from the first fragment; what it writes is broken off at up to four places, the second fragment is put behind, and of these molecules one is drawn by how likely the
    prior finds it.

    Args:
        prior: Writes the linker.
        fragments: Both with one point, ``c1ccc([*:1])cc1.[*:2]N1CCOCC1``.
        n, seed, temperature, top_p: As of :func:`decorate`.
        shortest, longest: Heavy atoms of the linker.

    Raises:
        ConfigError: There are not two fragments with one point each, or the prior cannot spell them.
    """
    first, second = read_fragments(fragments)
    if not 1 <= shortest <= longest:
        raise ConfigError(f"a linker has 1 <= shortest <= longest heavy atoms, got {shortest} and {longest}")
    for part in (first, second):
        _refuse_unspellable(prior, part)
    ending = rooted(second.mol)
    begun = _likeliest(prior, first.mol, first.points[0], derive_seed(seed, "spelling"))
    atoms = sum(atom.GetAtomicNum() > 0 for part in (first, second) for atom in part.mol.GetAtoms())

    def draw(number: int) -> list[str]:
        written = prior.complete([begun] * _ROUND, derive_seed(seed, "link", number), temperature=temperature, top_p=top_p)
        random = generator(seed, "cut", number)
        return _drawn_by_likelihood(prior, [_cut(smi[len(begun) :], begun, ending, atoms + shortest, atoms + longest, random) for smi in written], random)

    def kept(batch: MoleculeBatch) -> np.ndarray:
        return np.asarray(first.kept_by(batch) & second.kept_by(batch))

    return _collect(n, draw, kept)


def regrow(
    prior: Prior, molecules: Sequence[str] | MoleculeBatch, n: int, *, seed: int = 0, temperature: float = 1.0, top_p: float = 1.0, min_similarity: float = 0.4
) -> Constrained:
    """Neighbours of given molecules: each is cut at a chain bond, the larger side stays, and the prior writes the other side anew.

    Args:
        prior: Writes the new side.
        molecules: At least one readable; those that have no chain bond or that the prior cannot spell are left out with a warning.
        n, seed, temperature, top_p: As of :func:`decorate`.
        min_similarity: Least Tanimoto similarity (Morgan, radius 2, 2,048 bits) to the nearest given molecule.

    Raises:
        ConfigError: No given molecule can be cut.
    """
    batch = MoleculeBatch.of(molecules)
    cuts = [cut for mol in batch.full_mols if mol is not None for cut in _larger_sides(mol)]
    spelled = {smi: _likeliest_or_none(prior, scaffold, seed) for smi, scaffold in {cut.smiles: cut for cut in cuts}.items()}
    usable = [(cut, spelled[cut.smiles] or "") for cut in cuts if spelled[cut.smiles]]
    if not usable:
        raise ConfigError(
            f"none of the {len(batch)} given molecules can be cut at a chain bond and spelled by this prior "
            f"({next(filter(None, batch.reasons), 'no bond outside rings, or tokens it does not hold')}); try the engine of graph edits"
        )
    if len(usable) < len(cuts):
        logger.warning("%d of %d places at which the given molecules can be cut are left out: the prior cannot spell what stays", len(cuts) - len(usable), len(cuts))
    near = near_to(batch, min_similarity)

    def draw(number: int) -> list[str]:
        chosen = generator(seed, "place", number).integers(len(usable), size=_ROUND)
        begun = [usable[row][1] for row in chosen]
        written = prior.complete(begun, derive_seed(seed, "regrow", number), temperature=temperature, top_p=top_p)
        return _only_grown(written, begun, [usable[row][0] for row in chosen])

    return _collect(n, draw, near)


def near_to(given: MoleculeBatch, least: float) -> Callable[[MoleculeBatch], np.ndarray]:
    """Batch → ``[n]`` bool: at least this similar to one of the given molecules, and none of them.

    Raises:
        ConfigError: No given molecule can be read, or the similarity is not in [0, 1].
    """
    if not 0 <= least <= 1:
        raise ConfigError(f"a similarity lies in [0, 1], got {least}")
    known = {smi for smi in given.canonical if smi}
    if not known:
        raise ConfigError(f"none of the {len(given)} given molecules can be read; the first reason is {next(iter(given.reasons), 'that there are none')}")
    bits = fingerprint(sorted(known))

    def near(batch: MoleculeBatch) -> np.ndarray:
        similar = tanimoto(fingerprint(batch), bits).max(1) >= least
        return np.asarray(similar & batch.valid & np.array([smi not in known for smi in batch.canonical], dtype=bool))

    return near


def _collect(n: int, draw: Callable[[int], list[str]], kept: Callable[[MoleculeBatch], np.ndarray]) -> Constrained:
    found = Constrained(n)
    number = 0
    while len(found) < n and found.drawn < _DRAWS * n + _ROUND:
        batch = MoleculeBatch(draw(number))
        found.take(len(batch), batch, kept(batch))
        number += 1
    if len(found) < n:
        logger.warning("%s", found)
    return found


def _refuse_unspellable(prior: Prior, scaffold: Scaffold) -> None:
    missing = sorted({token for point in scaffold.points for smi in spellings(scaffold.mol, point, 0)[:1] for token in prior.vocabulary.unknown(smi)})
    if missing:
        raise ConfigError(
            f"the prior cannot write {scaffold.smiles!r}: it has no token {', '.join(missing)}; take a prior that has, or the engine of graph edits (--engine edits)"
        )


def _likeliest(prior: Prior, mol: Chem.Mol, point: int, seed: int) -> str:
    """The spelling that the prior finds most likely: the nearest to how its own molecules are written."""
    written = spellings(mol, point, seed)
    if not written:
        raise ConfigError(f"{Chem.MolToSmiles(mol)!r} has no spelling that ends at its point {point}; try the engine of graph edits")
    return written[int(np.nanargmax(prior.log_likelihood(written, ended=False)))]


def _likeliest_or_none(prior: Prior, scaffold: Scaffold, seed: int) -> str | None:
    point = scaffold.points[0]
    if any(prior.vocabulary.unknown(smi) for smi in spellings(scaffold.mol, point, 0)[:1]) or not spellings(scaffold.mol, point, 0):
        return None
    return _likeliest(prior, scaffold.mol, point, derive_seed(seed, "spelling", scaffold.smiles))


def _grown(prior: Prior, made: Sequence[Chem.Mol | None], point: int, seed: int, temperature: float, top_p: float) -> list[Chem.Mol | None]:
    """Each molecule with what the prior writes at one point; None where that is no molecule."""
    distinct = {Chem.MolToSmiles(mol): mol for mol in made if mol is not None}
    begun: dict[str, str] = {}
    for smi, mol in distinct.items():
        written = [text for text in spellings(mol, point, derive_seed(seed, smi)) if not prior.vocabulary.unknown(text)]
        if written and len(distinct) == 1:
            begun[smi] = _likeliest(prior, mol, point, seed)
        elif written:  # one a molecule: the shortest is the nearest to a canonical form, and hundreds are not worth a pass of the network
            begun[smi] = min(written, key=len)
    rows = [(row, mol, begun[smi]) for row, mol in enumerate(made) if mol is not None and (smi := Chem.MolToSmiles(mol)) in begun]
    completed = prior.complete([prefix for *_, prefix in rows], seed, temperature=temperature, top_p=top_p)
    found: list[Chem.Mol | None] = [None] * len(made)
    for (row, mol, prefix), smi in zip(rows, completed, strict=True):
        tail = smi[len(prefix) :]
        if begins_with_one_bond(tail):
            found[row] = joined(mol, point, tail)
    return found


def _cut(tail: str, begun: str, ending: str, least: int, most: int, random: np.random.Generator) -> list[str]:
    """Up to four molecules: the first fragment, a beginning of what was written behind it, the second fragment."""
    if not begins_with_one_bond(tail):
        return []
    tokens = split_smiles(tail)
    ends = open_ends(tokens)
    found = []
    for place in random.permutation(len(ends)):
        smi = begun + "".join(tokens[: ends[place]]) + ending
        mol = MoleculeBatch([smi]).mols[0]
        if mol is not None and least <= mol.GetNumHeavyAtoms() <= most:
            found.append(smi)
        if len(found) == _CUTS:
            break
    return found


def _drawn_by_likelihood(prior: Prior, choices: Sequence[Sequence[str]], random: np.random.Generator) -> list[str]:
    flat = [smi for some in choices for smi in some]
    values = iter(prior.log_likelihood(flat).tolist())
    found = []
    for some in choices:
        worth = np.array([next(values) / len(smi) for smi in some])  # a letter: a longer molecule is not worse for being longer
        chances = np.exp(8 * (worth - worth.max())) if len(some) else worth
        found.append(some[int(random.choice(len(some), p=chances / chances.sum()))] if len(some) else "")
    return found


def _larger_sides(mol: Chem.Mol) -> list[Scaffold]:
    """What stays of a molecule when each of its chain bonds is cut: the side with at least half of the atoms, with a point where the bond was."""
    found = []
    for bond in mol.GetBonds():
        if bond.GetBondType() != Chem.BondType.SINGLE or bond.IsInRing():
            continue
        cut = Chem.FragmentOnBonds(mol, [bond.GetIdx()], dummyLabels=[(0, 0)])
        first, second = sorted(Chem.GetMolFrags(cut, asMols=True), key=lambda part: -part.GetNumAtoms())
        for part in (first, second) if first.GetNumAtoms() == second.GetNumAtoms() else (first,):
            found.append(read_scaffold(Chem.MolToSmiles(part)))
    return found


def _only_grown(written: Sequence[str], begun: Sequence[str], scaffolds: Sequence[Scaffold]) -> list[str]:
    """What was written, ``""`` where it does not keep the part that it began with."""
    batch = MoleculeBatch([smi if begins_with_one_bond(smi[len(prefix) :]) else "" for smi, prefix in zip(written, begun, strict=True)])
    kept = [mol is not None and scaffold.kept_by(batch.take([row]))[0] for row, (mol, scaffold) in enumerate(zip(batch.mols, scaffolds, strict=True))]
    return [smi if good else "" for smi, good in zip(batch.smiles, kept, strict=True)]
