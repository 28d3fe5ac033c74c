"""Molecular graphs of a library on disk, memory-mapped and checksummed: what a library that is screened again need not have parsed again.

A store is a folder: ``manifest.json`` (the library's checksum, how its SMILES were read, the code that made the graphs, checksums of the parts) and parts of
consecutive records as safetensors: ``atoms`` ``[V, 7]`` uint8, ``ends`` ``[M, 2]`` uint16, ``bonds`` ``[M]`` uint8, ``n_atoms`` and ``n_bonds`` ``[n]`` uint16; reasons of
unusable records in the header. That is about 280 bytes a molecule of drug size.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from drugai.artifact import file_checksum, versions, write_tensors_atomically, write_text_atomically
from drugai.errors import ArtifactError
from drugai.featurizers.graphs import MolecularGraphs, concatenate

FORMAT = 1
MANIFEST = "manifest.json"
MOST_ATOMS = 65_535
"""Atoms of one molecule that the store can hold (uint16)."""
_CODE = ("errors.py", "featurizers/graphs.py", "molecules/batch.py", "molecules/caps.py", "molecules/sdf.py")


@cache
def graph_code() -> dict[str, str]:
    """What the graphs of a string depend on: sha256 of the code that makes them, and RDKit's version."""
    root = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for name in _CODE:
        digest.update(f"{name}\0{file_checksum(root / name)}\n".encode())
    return {"sha256": digest.hexdigest(), "rdkit": versions().get("rdkit", "")}


def write_part(path: Path, graphs: MolecularGraphs) -> None:
    """Write one part beside its place and rename it."""
    if len(graphs) and int(graphs.n_atoms.max()) > MOST_ATOMS:
        raise ArtifactError(f"{path}: a molecule of {int(graphs.n_atoms.max())} atoms is too large for a graph store; lower the cap of atoms")
    tensors = {
        "atoms": graphs.atoms, "ends": graphs.ends.astype(np.uint16), "bonds": graphs.bonds,
        "n_atoms": graphs.n_atoms.astype(np.uint16), "n_bonds": graphs.n_bonds.astype(np.uint16),
    }  # fmt: skip
    reasons = {str(row): why for row, why in enumerate(graphs.reasons) if why}
    write_tensors_atomically(path, tensors, {"reasons": json.dumps(reasons)})


def write_manifest(folder: Path, parts: Sequence[Mapping[str, Any]], **more: Any) -> None:
    """Write ``manifest.json``: the store is whole from here on. ``parts`` name file, start, stop, sha256 and bytes, in the library's order."""
    values = {"format": FORMAT, "kind": "graphs", "code": graph_code(), **more, "parts": list(parts)}
    write_text_atomically(folder / MANIFEST, json.dumps(values, indent=1) + "\n")


class GraphStore:
    """A store, open for reading any range of records.

    Args:
        path: The folder.

    Raises:
        ArtifactError: There is no finished store, it is damaged, of a later format, or other code made it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self.manifest: dict[str, Any] = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
            if self.manifest["kind"] != "graphs" or int(self.manifest["format"]) > FORMAT:
                raise ArtifactError(f"{self.path}: holds {self.manifest['kind']} of format {self.manifest['format']}; this drugai reads graphs of format {FORMAT}")
            self.parts: list[dict[str, Any]] = list(self.manifest["parts"])
            code = self.manifest["code"]
        except FileNotFoundError:
            raise ArtifactError(f"{self.path}: no {MANIFEST} there, so it is no finished graph store; `drugai library build` makes or continues one") from None
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{self.path / MANIFEST}: damaged ({error}); build the store again") from None
        if code != graph_code():
            what = "another RDKit" if code.get("rdkit") != graph_code()["rdkit"] else "another version of drugai"
            raise ArtifactError(f"{self.path}: {what} made these graphs; build the store again with `drugai library build`")
        self._open: tuple[int, Any, np.ndarray, np.ndarray, dict[int, str]] | None = None

    def __len__(self) -> int:
        return int(self.parts[-1]["stop"]) if self.parts else 0

    @property
    def checksum(self) -> str:
        """sha256 of the manifest, which holds that of every part."""
        return file_checksum(self.path / MANIFEST)

    def check(self, library: Mapping[str, Any], caps: Mapping[str, Any], trusted: bool) -> None:
        """Refuse a store that was made of another library or read otherwise.

        Raises:
            ArtifactError: What differs is named.
        """
        own = self.manifest
        found = []
        if own["library"]["sha256"] != library["sha256"]:
            found.append("the library's content")
        if own["library"]["smiles"] != library["smiles"]:
            found.append(f"the SMILES column ({own['library']['smiles']} → {library['smiles']})")
        if own["caps"] != dict(caps):
            found.append("the caps")
        if own["trusted"] != trusted:
            found.append(f"trusted ({own['trusted']} → {trusted})")
        if found:
            raise ArtifactError(f"{self.path}: is of another library or was read otherwise: {'; '.join(found)}. Build a store for this one")

    def read(self, start: int, stop: int) -> MolecularGraphs:
        """The graphs of the records [start, stop).

        Raises:
            ArtifactError: A part is missing or changed since it was written, or the range is outside.
        """
        if not 0 <= start <= stop <= len(self):
            raise ArtifactError(f"{self.path}: holds {len(self)} records, {start}–{stop} were asked for")
        pieces = [
            self._slice(number, max(start, part["start"]) - part["start"], min(stop, part["stop"]) - part["start"])
            for number, part in enumerate(self.parts)
            if part["start"] < stop and part["stop"] > start
        ]
        return pieces[0] if len(pieces) == 1 else concatenate(pieces) if pieces else _EMPTY

    def _slice(self, number: int, begin: int, end: int) -> MolecularGraphs:
        file, first_atom, first_bond, reasons = self._part(number)
        atoms, bonds = slice(int(first_atom[begin]), int(first_atom[end])), slice(int(first_bond[begin]), int(first_bond[end]))
        return MolecularGraphs(
            file.get_slice("atoms")[atoms], file.get_slice("ends")[bonds].astype(np.int32), file.get_slice("bonds")[bonds],
            np.diff(first_atom[begin : end + 1]).astype(np.int32), np.diff(first_bond[begin : end + 1]).astype(np.int32),
            tuple(reasons.get(row, "") for row in range(begin, end)) if reasons else ("",) * (end - begin),
        )  # fmt: skip

    def _part(self, number: int) -> tuple[Any, np.ndarray, np.ndarray, dict[int, str]]:
        """The open part; verified when it is opened, one at a time."""
        from safetensors import safe_open

        if self._open is None or self._open[0] != number:
            part = self.parts[number]
            path = self.path / part["file"]
            if not path.is_file():
                raise ArtifactError(f"{path}: missing; `drugai library build` makes it again")
            if file_checksum(path) != part["sha256"]:
                raise ArtifactError(f"{path}: changed since it was written (its sha256 differs from the manifest's); build the store again")
            file = safe_open(path, framework="np")
            places = [np.concatenate([[0], np.cumsum(file.get_tensor(name), dtype=np.int64)]) for name in ("n_atoms", "n_bonds")]
            reasons = {int(row): why for row, why in json.loads(file.metadata()["reasons"]).items()}
            self._open = (number, file, places[0], places[1], reasons)
        return self._open[1:]


def without(graphs: MolecularGraphs, reasons: Sequence[str]) -> MolecularGraphs:
    """The graphs, but empty and with their reason where ``reasons`` has one: rows that are not to be touched."""
    struck = np.array([bool(why) for why in reasons], dtype=bool)
    if not struck.any():
        return graphs
    atoms, bonds = np.repeat(struck, graphs.n_atoms), np.repeat(struck, graphs.n_bonds)
    return MolecularGraphs(
        graphs.atoms[~atoms], graphs.ends[~bonds], graphs.bonds[~bonds], np.where(struck, 0, graphs.n_atoms).astype(np.int32),
        np.where(struck, 0, graphs.n_bonds).astype(np.int32), tuple(why or old for why, old in zip(reasons, graphs.reasons, strict=True)),
    )  # fmt: skip


_EMPTY = MolecularGraphs(np.zeros((0, 7), np.uint8), np.zeros((0, 2), np.int32), np.zeros(0, np.uint8), np.zeros(0, np.int32), np.zeros(0, np.int32), ())
