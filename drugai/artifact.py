"""The one folder format in which everything trained is kept: JSON, safetensors and text; no pickle anywhere.

A folder holds ``manifest.json`` (format number, kind, config, whatever the room records, versions, sha256 of every other file), tensors as
``*.safetensors`` and texts beside them. It is written beside its place and renamed, so it exists whole or not at all; checksums are verified on reading.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drugai.errors import ArtifactError

if TYPE_CHECKING:
    import torch

FORMAT = 1
MANIFEST = "manifest.json"
_RECORDED = ("drugai", "rdkit", "torch", "numpy", "lightgbm", "transformers", "optuna")


@dataclass(frozen=True, eq=False)
class Artifact:
    """A verified folder: its manifest and the files it names."""

    path: Path
    manifest: Mapping[str, Any] = field(repr=False)

    @property
    def kind(self) -> str:
        """What the folder holds: ``predictor/gnn``, ``generator``, ``linker`` …"""
        return str(self.manifest["kind"])

    @property
    def config(self) -> dict[str, Any]:
        """The Config as plain values."""
        return dict(self.manifest["config"])

    @property
    def checksum(self) -> str:
        """sha256 of the manifest, which holds the sha256 of every other file: the identity of the model."""
        return file_checksum(self.path / MANIFEST)

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """The tensors of ``<name>.safetensors`` as numpy arrays (no torch needed; not for bfloat16)."""
        from safetensors.numpy import load_file

        return load_file(self._file(f"{name}.safetensors"))

    def tensors(self, name: str, device: str = "cpu") -> dict[str, torch.Tensor]:
        """The tensors of ``<name>.safetensors`` as torch tensors."""
        from safetensors.torch import load_file

        return load_file(self._file(f"{name}.safetensors"), device=device)

    def text(self, name: str) -> str:
        """A text file of the folder."""
        return self._file(name).read_text(encoding="utf-8")

    def json(self, name: str) -> Any:
        """A JSON file of the folder."""
        return json.loads(self.text(name))

    def _file(self, name: str) -> Path:
        if name not in self.manifest["files"]:
            raise ArtifactError(f"{self.path}: the manifest names no file {name!r}; it names {', '.join(sorted(self.manifest['files']))}")
        return self.path / name


def write_artifact(
    path: str | Path,
    kind: str,
    *,
    config: Mapping[str, Any],
    arrays: Mapping[str, Mapping[str, Any]] | None = None,
    texts: Mapping[str, str] | None = None,
    record: Mapping[str, Any] | None = None,
) -> Path:
    """Write a folder beside its place and rename it, replacing an artifact that stood there.

    Args:
        path: The folder. A folder that exists and is not an artifact (or empty) is not overwritten.
        kind: What it holds.
        config: Plain values of the Config.
        arrays: File stem → named tensors (all numpy, or all torch) → ``<stem>.safetensors``.
        texts: File name → text (vocabularies, JSON, LightGBM's own model text).
        record: Whatever else the manifest shall say: tasks, data checksum, split, metrics, notes.

    Raises:
        ArtifactError: ``path`` exists and is something else.
    """
    target = Path(path)
    if target.exists() and not (target / MANIFEST).exists() and (not target.is_dir() or any(target.iterdir())):
        raise ArtifactError(f"{target} exists and is no drugai artifact; choose another folder or remove it")
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        for stem, tensors in (arrays or {}).items():
            _write_tensors(beside / f"{stem}.safetensors", tensors)
        for name, text in (texts or {}).items():
            (beside / name).parent.mkdir(parents=True, exist_ok=True)
            (beside / name).write_text(text, encoding="utf-8")
        files = {str(file.relative_to(beside)): file_checksum(file) for file in sorted(beside.rglob("*")) if file.is_file()}
        manifest = {"format": FORMAT, "kind": kind, "config": dict(config), **(record or {}), "versions": versions(), "files": files}
        (beside / MANIFEST).write_text(json.dumps(manifest, indent=1, default=_json_default) + "\n", encoding="utf-8")
        for file in beside.rglob("*"):
            if file.is_file():
                file.chmod(0o644)  # safetensors creates files that their owner alone can read
                _sync(file)
        beside.chmod(0o755)
        _replace(beside, target)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return target


def read_artifact(path: str | Path, kind: str | None = None) -> Artifact:
    """Open a folder after verifying its format, its kind and the checksum of every file.

    Raises:
        ArtifactError: The folder is missing, of a later format or another kind, or a file is missing or changed (named).
    """
    folder = Path(path)
    if not (folder / MANIFEST).is_file():
        if folder.is_file() and folder.suffix in (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".bin"):
            raise ArtifactError(
                f"{folder}: drugai does not open pickled models, which can run any code; "
                f"load it where you trust it and write its tensors with safetensors.torch.save_file"
            )
        near = [str(entry.parent) for entry in folder.glob(f"*/{MANIFEST}")][:3] if folder.is_dir() else []
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ArtifactError(f"{folder}: no {MANIFEST} there, so it is no saved model{hint}")
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        format_number, found, files = int(manifest["format"]), str(manifest["kind"]), dict(manifest["files"])
    except (ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{folder / MANIFEST}: damaged ({error}); train again or restore the folder") from None
    if format_number > FORMAT:
        raise ArtifactError(f"{folder}: format {format_number} is newer than this drugai reads ({FORMAT}); upgrade drugai")
    if kind is not None and found != kind and not found.startswith(f"{kind}/"):
        raise ArtifactError(f"{folder}: holds a {found}, expected a {kind}")
    for name, checksum in files.items():
        file = folder / name
        if os.path.isabs(name) or ".." in Path(name).parts:
            raise ArtifactError(f"{folder / MANIFEST}: names a file outside the folder ({name})")
        if not file.is_file():
            raise ArtifactError(f"{file}: missing; the folder is incomplete")
        if file_checksum(file) != checksum:
            raise ArtifactError(f"{file}: changed since it was written (its sha256 differs from the manifest's); restore it or train again")
    return Artifact(folder, manifest)


def is_artifact(path: str | Path) -> bool:
    """Whether a manifest lies in the folder (nothing is verified)."""
    return (Path(path) / MANIFEST).is_file()


def file_checksum(path: str | Path) -> str:
    """sha256 of a file, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result depends on, without importing them."""
    found = {"python": sys.version.split()[0]}
    for name in _RECORDED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def write_text_atomically(path: str | Path, text: str) -> Path:
    """Write a file beside its place, sync and rename: a reader sees the old or the new text, never half of it."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(text, encoding="utf-8")
        _sync(beside)
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return target


def write_tensors_atomically(path: str | Path, tensors: Mapping[str, Any], notes: Mapping[str, str] | None = None) -> Path:
    """Write one safetensors file beside its place and rename it; ``notes`` go into its header."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        _write_tensors(beside, tensors, notes)
        _sync(beside)
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return target


def _write_tensors(file: Path, tensors: Mapping[str, Any], notes: Mapping[str, str] | None = None) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if all(isinstance(value, np.ndarray) for value in tensors.values()):
        from safetensors.numpy import save_file as save_arrays

        save_arrays({key: np.ascontiguousarray(value) for key, value in tensors.items()}, file, dict(notes) if notes else None)
        return
    from safetensors.torch import save_file as save_tensors

    # clone: safetensors refuses tensors that share memory, as tied weights do
    save_tensors({key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}, file, dict(notes) if notes else None)


def _replace(beside: Path, target: Path) -> None:
    if target.exists():
        # a folder cannot be renamed over a full one: the old one steps aside first and is removed last
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
        os.rename(target, aside / "old")
        os.rename(beside, target)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        os.rename(beside, target)


def _sync(file: Path) -> None:
    with open(file, "rb") as stream:
        os.fsync(stream.fileno())


def _json_default(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON: {value!r}")
