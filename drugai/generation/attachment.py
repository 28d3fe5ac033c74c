"""Attachment points: a scaffold as it is typed, its spelling with one point at the end, and whether a molecule keeps it.

A point is a dummy atom, ``[*:1]``, at the end of a single bond: exactly one substituent of at least one heavy atom stands in its place. Every other atom of the scaffold keeps its
number of neighbours, so that nothing grows where no point is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rdkit import Chem, rdBase

from drugai.errors import ConfigError
from drugai.featurizers.tokens import split_smiles
from drugai.molecules import MoleculeBatch, parse_failure

_SPELLINGS = 24  # random spellings among which one with the point at its end is looked for
_RING = re.compile(r"\d|%\d\d|%\(\d+\)")
_BONDS = frozenset("-=#:/\\~")


@dataclass(frozen=True, eq=False)
class Scaffold:
    """A fragment with attachment points.

    Attributes:
        mol: With the points as dummy atoms that carry their numbers.
        points: The numbers, ascending.
    """

    mol: Chem.Mol
    points: tuple[int, ...]

    @property
    def smiles(self) -> str:
        """Canonical, points included."""
        return str(Chem.MolToSmiles(self.mol))

    @cached_property
    def _query(self) -> Chem.Mol:
        settings = Chem.AdjustQueryParameters.NoAdjustments()
        settings.adjustDegree = True  # type: ignore[assignment]  # RDKit's stubs take its attributes for the class itself
        settings.adjustDegreeFlags = Chem.ADJUST_IGNOREDUMMIES
        settings.makeDummiesQueries = True  # type: ignore[assignment]
        plain = Chem.Mol(self.mol)
        for atom in plain.GetAtoms():
            atom.SetAtomMapNum(0)
        return Chem.AdjustQueryProperties(plain, settings)

    def kept_by(self, batch: MoleculeBatch) -> np.ndarray:
        """``[n]`` bool: the molecule holds the scaffold, with something at every point and nothing anywhere else."""
        return np.array([mol is not None and bool(mol.HasSubstructMatch(self._query, useChirality=True)) for mol in batch.full_mols], dtype=bool)


def read_scaffold(text: str) -> Scaffold:
    """A scaffold from a SMILES with attachment points; points without a number get the next free one.

    Raises:
        ConfigError: It cannot be read, has no point (an example made from the scaffold shows one), a point that is not at the end of one single bond, two points of one number, or
            several parts.

    Example:
        >>> read_scaffold("[*]c1ccc(CC[*:3])nc1").points
        (1, 3)
    """
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(text) if text else None
    if mol is None or not mol.GetNumAtoms():
        raise ConfigError(f"the scaffold {text!r} cannot be read ({parse_failure(text) if text else 'it is empty'}); write it as SMILES with its points, for example 'c1ccc([*:1])cc1'")
    if len(Chem.GetMolFrags(mol)) > 1:
        raise ConfigError(f"the scaffold {text!r} has {len(Chem.GetMolFrags(mol))} parts; a scaffold is one part (two parts are joined with --link, or link())")
    dummies = [atom for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0]
    if not dummies:
        raise ConfigError(f"the scaffold {text!r} has no attachment point; mark each place that may carry a substituent with [*:1], [*:2] …, for example {_example(mol)!r}")
    if len(dummies) == mol.GetNumAtoms():
        raise ConfigError(f"the scaffold {text!r} is nothing but points; an example is 'c1ccc([*:1])cc1'")
    wrong = [atom for atom in dummies if atom.GetDegree() != 1 or atom.GetBonds()[0].GetBondType() != Chem.BondType.SINGLE]
    if wrong:
        raise ConfigError(f"the scaffold {text!r}: point {wrong[0].GetAtomMapNum() or '*'} is not at the end of one single bond; an example is 'c1ccc([*:1])cc1'")
    given = [atom.GetAtomMapNum() for atom in dummies if atom.GetAtomMapNum()]
    if len(given) != len(set(given)):
        raise ConfigError(f"the scaffold {text!r}: two points have the same number; number them [*:1], [*:2] …")
    free = iter(number for number in range(1, len(dummies) + len(given) + 1) if number not in given)
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() == 0:
            atom.SetAtomMapNum(atom.GetAtomMapNum() or next(free))
            atom.SetIsotope(0)
        else:
            atom.SetAtomMapNum(0)
    return Scaffold(mol, tuple(sorted(atom.GetAtomMapNum() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0)))


def read_fragments(text: str) -> tuple[Scaffold, Scaffold]:
    """Two fragments to be linked, each with one point, from ``A[*:1].[*:2]B``.

    Raises:
        ConfigError: There are not two parts with one point each.
    """
    parts = text.split(".")
    example = "'c1ccc([*:1])cc1.[*:2]N1CCOCC1'"
    if len(parts) != 2:
        raise ConfigError(f"{text!r} has {len(parts)} part{'s' if len(parts) != 1 else ''}; a linker joins two fragments, for example {example}")
    first, second = (read_scaffold(part) for part in parts)
    for found, part in ((first, parts[0]), (second, parts[1])):
        if len(found.points) != 1:
            raise ConfigError(f"the fragment {part!r} has {len(found.points)} attachment points; a linker joins at one point of each, for example {example}")
    return first, second


def spellings(mol: Chem.Mol, point: int, seed: int) -> list[str]:
    """SMILES that break off where the substituent at ``point`` begins, other points written as hydrogens; each is checked by reading it back.

    Example:
        >>> "c1ccccc1" in spellings(read_scaffold("[*:1]c1ccccc1").mol, 1, 0)
        True
    """
    alone = _only(mol, point)
    wanted = Chem.MolToSmiles(alone)
    random = Chem.MolToRandomSmilesVect(alone, _SPELLINGS, randomSeed=seed % (2**31 - 1) + 1)
    written = [smi[:-1] for smi in random if smi.endswith("*")] + [_turned(alone)]
    with rdBase.BlockLogs():
        return [smi for smi in dict.fromkeys(written) if smi and _reads_as(smi + "*", wanted)]


def rooted(mol: Chem.Mol) -> str:
    """The SMILES of a fragment that begins at its point, without the point: what is written behind a linker."""
    plain = _only(mol, next(atom.GetAtomMapNum() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0))
    return _from_point(plain)[1:]


def joined(mol: Chem.Mol, point: int, substituent: str) -> Chem.Mol | None:
    """The molecule with ``substituent`` (SMILES that begins at the atom to be bound) in place of a point; None where that is no molecule."""
    with rdBase.BlockLogs():
        part = Chem.MolFromSmiles(f"[*:{point}]{substituent}")
        if part is None:
            return None
        made = Chem.molzip(mol, part)
        return made if Chem.SanitizeMol(made, catchErrors=True) == Chem.SanitizeFlags.SANITIZE_NONE else None


def begins_with_one_bond(tail: str) -> bool:
    """Whether a continuation hangs on the last atom by one single bond and nothing else: it begins with an atom, not with a branch, a ring number or another bond."""
    return bool(tail) and tail[0] not in "(=#:%./\\~)" and not tail[0].isdigit()


def open_ends(tokens: Sequence[str]) -> list[int]:
    """Numbers of tokens after which a continuation may be broken off and written on: at its own level, with no ring open, not behind a bond sign.

    Example:
        >>> open_ends(["C", "C", "(", "=", "O", ")", "N"])
        [1, 2, 6, 7]
    """
    depth, rings, found = 0, set[str](), []
    for place, token in enumerate(tokens, start=1):
        if token in "()":
            depth += 1 if token == "(" else -1
        elif _RING.fullmatch(token):
            rings ^= {token}
        if depth < 0:
            break
        if depth == 0 and not rings and token not in _BONDS and token != "(":
            found.append(place)
    return found


def _only(mol: Chem.Mol, point: int) -> Chem.Mol:
    """The molecule with this point alone, unnumbered; the others become hydrogens."""
    edited = Chem.RWMol(mol)
    for atom in [atom for atom in edited.GetAtoms() if atom.GetAtomicNum() == 0 and atom.GetAtomMapNum() != point]:
        neighbour = atom.GetNeighbors()[0]
        if neighbour.GetNoImplicit():  # [nH] and the like carry their hydrogens as a number
            neighbour.SetNumExplicitHs(neighbour.GetNumExplicitHs() + 1)
        elif neighbour.GetIsAromatic() and neighbour.GetAtomicNum() != 6:
            neighbour.SetNumExplicitHs(1)
    gone = sorted((atom.GetIdx() for atom in edited.GetAtoms() if atom.GetAtomicNum() == 0 and atom.GetAtomMapNum() != point), reverse=True)
    for index in gone:
        edited.RemoveAtom(index)
    for atom in edited.GetAtoms():
        atom.SetAtomMapNum(0)
    found = edited.GetMol()
    Chem.SanitizeMol(found)
    return found


def _from_point(alone: Chem.Mol) -> str:
    point = next(atom.GetIdx() for atom in alone.GetAtoms() if atom.GetAtomicNum() == 0)
    return str(Chem.MolToSmiles(alone, rootedAtAtom=point))


def _turned(alone: Chem.Mol) -> str:
    """A spelling by hand: from the point's neighbour, with everything behind it in branches."""
    tokens = split_smiles(_from_point(alone))[1:]
    at = 1
    while at < len(tokens):
        if _RING.fullmatch(tokens[at]):
            at += 1
        elif tokens[at] in _BONDS and at + 1 < len(tokens) and _RING.fullmatch(tokens[at + 1]):
            at += 2
        elif tokens[at] == "(":
            depth = 1
            while depth:
                at += 1
                depth += {"(": 1, ")": -1}.get(tokens[at], 0)
            at += 1
        else:
            break
    rest = "".join(tokens[at:])
    return "".join(tokens[:at]) + (f"({rest})" if rest else "")


def _reads_as(smi: str, wanted: str) -> bool:
    mol = Chem.MolFromSmiles(smi)
    return mol is not None and Chem.MolToSmiles(mol) == wanted


def _example(mol: Chem.Mol) -> str:
    """The same scaffold with a point at its first atom that has a hydrogen."""
    place = next((atom.GetIdx() for atom in mol.GetAtoms() if atom.GetTotalNumHs()), None)
    if place is None:
        return "c1ccc([*:1])cc1"
    edited = Chem.RWMol(mol)
    if edited.GetAtomWithIdx(place).GetNumExplicitHs():
        edited.GetAtomWithIdx(place).SetNumExplicitHs(edited.GetAtomWithIdx(place).GetNumExplicitHs() - 1)
    point = Chem.Atom(0)
    point.SetAtomMapNum(1)
    edited.AddBond(place, edited.AddAtom(point), Chem.BondType.SINGLE)
    return str(Chem.MolToSmiles(edited))
