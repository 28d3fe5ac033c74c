"""A batch of molecules in which each string is parsed once.

Everything that works on molecules takes a :class:`MoleculeBatch` or a sequence of SMILES. Filters, descriptors, fingerprints and graphs of one chunk share
the parsed molecules and each other's results. Row law: every array computed from a batch has its length and order; a row that cannot be used has a
reason and no Mol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from rdkit import Chem, rdBase

from drugai.errors import E_PARSE, DatasetError, reason
from drugai.molecules import caps as _caps
from drugai.molecules.caps import DEFAULT_CAPS, Caps, examine

T = TypeVar("T")

_LEAN = int(Chem.SanitizeFlags.SANITIZE_ALL) & ~int(
    Chem.SanitizeFlags.SANITIZE_SETCONJUGATION
    | Chem.SanitizeFlags.SANITIZE_SETHYBRIDIZATION
    | Chem.SanitizeFlags.SANITIZE_CLEANUPCHIRALITY
    | Chem.SanitizeFlags.SANITIZE_CLEANUPATROPISOMERS
)
_TIMESTAMP = re.compile(r"^\[\d\d:\d\d:\d\d\] ", re.MULTILINE)
_INPUT = re.compile(r"(?: for input: .*| while parsing: .*)$")


class MoleculeBatch:
    """n molecules, parsed lazily and once.

    Args:
        smiles: n SMILES (None and NaN count as empty).
        caps: Limits checked before RDKit sees a string.
        trusted: The strings are canonical aromatic SMILES that RDKit wrote. They are then read without sanitization (about twice as fast),
            which gives the same graph, Morgan fingerprints and scaffold strings; ``full_mols`` has the sanitized molecules.
        reasons: Reasons known before parsing (a damaged record of a file); such rows are not parsed.
        transient: Nobody will ask for the Mols after the one thing that is computed from them, so they need not be kept. Molecules that are dropped at once cost
            a third less to read, because the allocator's memory stays in the processor's cache.

    Example:
        >>> batch = MoleculeBatch(["CCO", "c1ccccc", ""])  # ethanol, an unclosed ring, nothing
        >>> batch.valid.tolist()
        [True, False, False]
        >>> batch.reasons[1]
        'E_PARSE: unclosed ring'
    """

    def __init__(
        self,
        smiles: Sequence[str],
        caps: Caps = DEFAULT_CAPS,
        trusted: bool = False,
        reasons: Sequence[str] | None = None,
        transient: bool = False,
    ) -> None:
        if isinstance(smiles, str):
            raise DatasetError(f"a batch takes a sequence of SMILES, got one string {smiles[:40]!r}; pass [{smiles[:40]!r}]")
        self.smiles: tuple[str, ...] = tuple(smiles)
        if reasons is not None and len(reasons) != len(self.smiles):
            raise DatasetError(f"{len(reasons)} reasons for {len(self.smiles)} SMILES; give one a row ('' = fine)")
        self.caps = caps
        self.trusted = trusted
        self.transient = transient
        self._given = tuple(reasons) if reasons is not None else None
        self._mols: tuple[Chem.Mol | None, ...] | None = None
        self._reasons: tuple[str, ...] = ()
        self._cache: dict[Any, Any] = {}
        self._lean = False
        self._whole: tuple[MoleculeBatch, np.ndarray] | None = None

    @classmethod
    def of(cls, molecules: Sequence[str] | MoleculeBatch) -> MoleculeBatch:
        """The batch itself, or a batch made of SMILES: the first line of every function that takes molecules."""
        return molecules if isinstance(molecules, MoleculeBatch) else cls(molecules)

    def __len__(self) -> int:
        return len(self.smiles)

    def __iter__(self) -> Iterator[str]:
        return iter(self.smiles)

    def __repr__(self) -> str:
        state = "not parsed" if self._mols is None else f"{int(self.valid.sum())} valid"
        return f"MoleculeBatch({len(self)} molecules, {state})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Mols do not cross process boundaries: a binary Mol from elsewhere can crash the reader. Strings do.
        return (MoleculeBatch, (self.smiles, self.caps, self.trusted, self._given))

    @property
    def mols(self) -> tuple[Chem.Mol | None, ...]:
        """n Mols, None where the row has a reason; without sanitization if the batch is trusted."""
        if self._mols is None:
            self._mols, self._reasons = _parse(self.smiles, self.caps, self.trusted, self._given, self._lean)
        return self._mols

    @property
    def full_mols(self) -> tuple[Chem.Mol | None, ...]:
        """n sanitized Mols (smallest rings, hybridization, stereo labels); ``mols`` itself unless the batch is trusted."""
        if not self.trusted:
            return self.mols
        return self.compute("full_mols", lambda batch: _parse(batch.smiles, batch.caps, False, batch.reasons)[0])

    @property
    def reasons(self) -> tuple[str, ...]:
        """n reasons, ``""`` where the molecule is fine."""
        if self._mols is None:
            self.mols  # noqa: B018 - parsing fills the reasons
        return self._reasons

    @property
    def given_reasons(self) -> tuple[str, ...]:
        """n reasons that were known before parsing."""
        return self._given if self._given is not None else ("",) * len(self)

    @property
    def valid(self) -> np.ndarray:
        """``[n]`` bool, True where there is a Mol."""
        return self.compute("valid", lambda batch: np.fromiter((mol is not None for mol in batch.mols), bool, len(batch)))

    @property
    def canonical(self) -> tuple[str, ...]:
        """n canonical isomeric SMILES, ``""`` where the row has a reason."""
        if self.trusted:  # canonical by promise
            return tuple("" if why else smi for smi, why in zip(self.smiles, self.reasons, strict=True))
        return self.compute("canonical", lambda batch: tuple("" if mol is None else Chem.MolToSmiles(mol) for mol in batch.mols))

    def compute(self, key: Any, function: Callable[[MoleculeBatch], T]) -> T:
        """The value of ``function(self)``, computed at the first call with this key and kept.

        The value has a row a molecule. A batch that was taken out of another has the rows of what that one has computed already.
        """
        if key not in self._cache:
            taken = self._taken(key)
            self._cache[key] = function(self) if taken is None else taken
        value: T = self._cache[key]
        return value

    def preset(self, key: Any, value: Any) -> None:
        """Give a value that is known already, such as graphs from a store, in place of computing it."""
        self._cache[key] = value

    def _taken(self, key: Any) -> Any:
        """The rows of what the batch that this one was taken from has under ``key``; None where it has nothing that can be cut."""
        if self._whole is None:
            return None
        whole, rows = self._whole
        value = whole._cache.get(key)
        if value is None:
            value = whole._taken(key)
        if isinstance(value, np.ndarray):
            return value[rows]
        if isinstance(value, (tuple, list)):
            return type(value)(value[row] for row in rows)
        return value.take(rows) if hasattr(value, "take") else None

    def refuse(self, row: int, why: str) -> None:
        """Give a row that was read a reason after all: something that is computed of molecules cannot be computed of this one. It has no Mol from then on."""
        mols, reasons = list(self.mols), list(self._reasons)
        mols[row], reasons[row] = None, reasons[row] or why
        self._mols, self._reasons = tuple(mols), tuple(reasons)
        for key in ("valid", "canonical", "full_mols"):
            self._cache.pop(key, None)

    def pieces(self, size: int = 64) -> Iterator[MoleculeBatch]:
        """The batch in small batches that share nothing with it: for a transient batch, so that few Mols live at a time.

        Their Mols are sanitized, but stereo is perceived only where the string says something of it, which saves a quarter of the reading.
        """
        for start in range(0, len(self), size):
            given = None if self._given is None else self._given[start : start + size]
            piece = MoleculeBatch(self.smiles[start : start + size], self.caps, self.trusted, given)
            piece._lean = True
            yield piece

    @property
    def is_parsed(self) -> bool:
        """Whether the Mols are there already."""
        return self._mols is not None

    def take(self, rows: Sequence[int] | np.ndarray) -> MoleculeBatch:
        """The batch of some rows, in that order; Mols that are parsed already go along, and so do the rows of what was computed (see :meth:`compute`)."""
        index = [int(row) for row in np.asarray(rows, dtype=np.int64)]
        given = None if self._given is None else tuple(self._given[row] for row in index)
        part = MoleculeBatch([self.smiles[row] for row in index], self.caps, self.trusted, given)
        if self._mols is not None:
            part._mols = tuple(self._mols[row] for row in index)
            part._reasons = tuple(self._reasons[row] for row in index)
        part._whole = (self, np.asarray(index, dtype=np.int64))
        return part


def _parse(
    smiles: Sequence[str], caps: Caps, trusted: bool, given: Sequence[str] | None, lean: bool = False
) -> tuple[tuple[Chem.Mol | None, ...], tuple[str, ...]]:
    """Mols and reasons of n strings. The loop is the hot path of the project: two calls a molecule beside RDKit's own."""
    read = _read_trusted if trusted else _read_lean if lean else Chem.MolFromSmiles
    odd, short = _caps._ODD.search, caps.surely_fine_below
    mols: list[Chem.Mol | None] = []
    reasons: list[str] = [""] * len(smiles)
    with rdBase.BlockLogs():  # RDKit prints a line for each failure; the state before is restored on leaving
        for row, smi in enumerate(smiles):
            if given is not None and given[row]:
                reasons[row] = given[row]
                mols.append(None)
                continue
            if not isinstance(smi, str) or not 0 < len(smi) <= short or odd(smi) is not None:
                smi, why = examine(smi, caps)
                if why:
                    reasons[row] = why
                    mols.append(None)
                    continue
            mol = read(smi)
            if mol is None:
                reasons[row] = reason(E_PARSE, parse_failure(smi))
            mols.append(mol)
    return tuple(mols), tuple(reasons)


def _read_trusted(smi: str) -> Chem.Mol | None:
    if "[H]" in smi:  # the full parse takes most explicit hydrogens into their atoms, the lean one leaves them
        return Chem.MolFromSmiles(smi)
    mol = Chem.MolFromSmiles(smi, sanitize=False)
    if mol is not None:
        mol.UpdatePropertyCache(strict=False)
        Chem.FastFindRings(mol)
    return mol


def _read_lean(smi: str) -> Chem.Mol | None:
    """The sanitized molecule without a search for stereo where the string has none; explicit hydrogens are for the full reader to take in.

    Conjugation and hybridization, which graphs do not use and which cannot fail, are left out too.
    """
    if "@" in smi or "/" in smi or "\\" in smi or "[H" in smi:
        return Chem.MolFromSmiles(smi)
    mol = Chem.MolFromSmiles(smi, sanitize=False)
    if mol is None or Chem.SanitizeMol(mol, _LEAN, catchErrors=True) != Chem.SanitizeFlags.SANITIZE_NONE:
        return None
    return mol


def parse_failure(smi: str) -> str:
    """RDKit's own words on why a SMILES cannot be read, found by reading it again with the error log captured.

    Example:
        >>> parse_failure("C(C)(C)(C)(C)C")  # five bonds at carbon
        'Explicit valence for atom # 0 C, 5, is greater than permitted'
    """
    with rdBase.CaptureErrorLog() as log:
        mol = Chem.MolFromSmiles(smi)
    if mol is not None:
        return "the text is not one that RDKit wrote"
    return words_of_log(log.messages)


def words_of_log(messages: str) -> str:
    """The reason in a captured error log: its first line without time stamp, the input and the words that say nothing."""
    for line in _TIMESTAMP.sub("", messages).splitlines():
        words = _INPUT.sub("", line.strip()).removeprefix("SMILES Parse Error: ").rstrip(":. ")
        if words:
            return " ".join(words.split())[:200]
    return "RDKit gives no reason"
