"""Features that a pre-trained encoder has learnt, beside fingerprints and descriptors: blocks named ``encoder:NAME``."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from drugai.artifact import is_artifact, read_artifact
from drugai.errors import ArtifactError
from drugai.featurizers.blocks import featurize_blocks
from drugai.molecules import MoleculeBatch

if TYPE_CHECKING:
    from drugai.models.encoder_store import SavedEncoder

ENCODER = "encoder:"
"""Beginning of the name of a block of learned features; a shipped name or a folder follows."""
GRAPHS = "graph_encoder_small"
"""The graph network that ships."""
_KINDS = ("encoder", "graph_encoder")


class Encoder(Protocol):
    """Molecules → embeddings."""

    @property
    def columns(self) -> tuple[str, ...]: ...
    def embed(self, molecules: Sequence[str] | MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]: ...


@dataclass(frozen=True)
class SmilesEncoderAlone:
    """An encoder of SMILES with the face of a predictor's encoder."""

    saved: SavedEncoder
    columns: tuple[str, ...] = ()

    def embed(self, molecules: Sequence[str] | MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
        """``[n, d]`` embeddings and n reasons."""
        from drugai.models.encoder_store import embed_smiles

        return embed_smiles(self.saved, molecules)


def place_of(name: str | Path) -> Path:
    """The folder of an encoder: one that ships, or the folder itself."""
    shipped = Path(__file__).resolve().parents[1] / "shipped" / str(name)
    return shipped if is_artifact(shipped) and not is_artifact(name) else Path(name)


def is_encoder(name: str | Path) -> bool:
    """Whether there is an encoder alone, of graphs or of SMILES, under that name or in that folder."""
    place = place_of(name)
    return is_artifact(place) and read_artifact(place).kind in _KINDS


@functools.lru_cache(maxsize=4)
def open_encoder(name: str | Path) -> Encoder:
    """An encoder alone.

    Raises:
        ArtifactError: There is none, or it is damaged.
    """
    place = place_of(name)
    if is_artifact(place) and read_artifact(place).kind == "encoder":
        from drugai.models.encoder_store import load_encoder

        return SmilesEncoderAlone(load_encoder(place))
    from drugai.models.graph_pretraining import load_graph_encoder

    return load_graph_encoder(place)


def feature_matrix(batch: MoleculeBatch, blocks: Sequence[str]) -> np.ndarray:
    """``[n, k]`` float32: the blocks side by side, of fingerprints and descriptors and of learned features; rows of NaN for unreadable molecules."""
    if not any(name.startswith(ENCODER) for name in blocks):
        return featurize_blocks(batch, blocks)
    return np.concatenate([_learned(batch, name.removeprefix(ENCODER)) if name.startswith(ENCODER) else featurize_blocks(batch, [name]) for name in blocks], axis=1)


def _learned(batch: MoleculeBatch, name: str) -> np.ndarray:
    found: np.ndarray = batch.compute(("embedding", name), lambda b: open_encoder(name).embed(b)[0])
    return found


def checksums(blocks: Sequence[str]) -> dict[str, dict[str, str]]:
    """For a model's manifest: of each encoder among its blocks the checksums of its files, which are not copied into the model."""
    names = [name.removeprefix(ENCODER) for name in blocks if name.startswith(ENCODER)]
    return {"encoders": {name: _weights(name) for name in names}} if names else {}


def check_encoders(record: Mapping[str, Any]) -> None:
    """Raises:
    ArtifactError: An encoder that a model rests on is not there, or another than the one that it was trained with.
    """
    for name, checksum in record.get("encoders", {}).items():
        if not is_encoder(name):
            raise ArtifactError(f"the model takes features of the encoder {name!r}, which is not there; it ships with another version of drugai, or its folder was moved")
        if _weights(name) != checksum:
            raise ArtifactError(f"the model takes features of the encoder {name!r}, and was trained with another one of that name")


def _weights(name: str) -> str:
    files = read_artifact(place_of(name)).manifest["files"]
    return "+".join(str(checksum) for file, checksum in sorted(files.items()) if file.endswith(".safetensors"))
