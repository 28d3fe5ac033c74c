"""An encoder of SMILES with its vocabulary as a folder, and from a folder: ours, or one of the Hugging Face layout with safetensors.

No code of a folder is run and no pickle is read: ``trust_remote_code=False`` and ``use_safetensors=True`` always.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch

from drugai.artifact import is_artifact, read_artifact, write_artifact
from drugai.errors import ArtifactError, ConfigError, nearest
from drugai.featurizers.sequences import SmilesReader, TokenizerReader, batches_by_length, pad_rows, reader_from_text
from drugai.models.smiles_encoder import EncoderConfig, SmilesEncoder, build_encoder, build_foreign, without_pooler
from drugai.molecules import MoleculeBatch

KIND = "encoder"
_HUB = re.compile(r"[\w.-]+/[\w.-]+(@[\w.-]+)?")


@dataclass(eq=False)
class SavedEncoder:
    """An encoder and how it reads SMILES.

    Attributes:
        encoder: The network, float32, in evaluation mode.
        reader: SMILES → tokens.
        shape: What the network is built from: ``{"own": …}`` of our Config, or ``{"foreign": …}`` of a ``config.json``.
        record: What the manifest says besides: corpus, training, learning curve.
    """

    encoder: SmilesEncoder
    reader: SmilesReader
    shape: Mapping[str, Any]
    record: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def untrained(cls, config: EncoderConfig, reader: SmilesReader, seed: int = 0) -> SavedEncoder:
        """Our encoder with random weights that depend on ``seed`` alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = build_encoder(config, reader.size)
        return cls(encoder.eval(), reader, {"own": config.to_dict()})

    def save(self, path: str | Path, *, precision: str = "fp32", card: str = "") -> Path:
        """Write the artifact folder; ``precision="bf16"`` halves the weights, and ``card`` is the text of its model card (``README.md``)."""
        if precision not in ("fp32", "bf16"):
            raise ConfigError(f"precision {precision!r}; the choices are fp32, bf16")
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        tensors = {name: value.to(dtype) for name, value in self.encoder.state_dict().items()}
        record = {**self.record, "parameters": sum(value.numel() for value in tensors.values())}
        texts = {"tokens.json": self.reader.to_text(), **({"README.md": card} if card else {})}
        return write_artifact(path, KIND, config=dict(self.shape), arrays={"encoder": tensors}, texts=texts, record=record)


def rebuild(shape: Mapping[str, Any], reader: SmilesReader) -> SmilesEncoder:
    """The network of a :attr:`SavedEncoder.shape` with random weights, with room for the reader's tokens."""
    if "own" in shape:
        return build_encoder(EncoderConfig.from_dict(shape["own"]), reader.size)
    return build_foreign(shape["foreign"], reader.pad)


def shipped_encoders() -> dict[str, Path]:
    """Name → folder of the encoders that lie in the package."""
    root = Path(str(resources.files("drugai"))) / "shipped"
    found = sorted(root.glob("encoder_*")) if root.is_dir() else []
    return {folder.name: folder for folder in found if is_artifact(folder)}


def load_encoder(source: str | Path) -> SavedEncoder:
    """Open an encoder.

    Args:
        source: A folder of ours, a folder of the Hugging Face layout (``config.json``, a tokenizer, ``*.safetensors``), the name of a shipped encoder, or ``owner/name`` (also
            ``owner/name@revision``) of a model on the Hugging Face hub, which is then downloaded.

    Raises:
        ArtifactError: A folder of ours is damaged.
        ConfigError: There is nothing that can be read without running code from it.
    """
    place, shipped = Path(source), shipped_encoders()
    if is_artifact(place) or str(source) in shipped:
        return _own(shipped.get(str(source), place))
    if place.is_dir():
        if not (place / "config.json").is_file() or not any(place.glob("*.safetensors")):
            raise ConfigError(f"{place}: no encoder there (needs manifest.json of drugai, or config.json, a tokenizer and *.safetensors)")
        return _foreign(str(place), None)
    if _HUB.fullmatch(str(source)):
        name, _, revision = str(source).partition("@")
        return _foreign(name, revision or None)
    near = nearest(str(source), shipped)
    raise ConfigError(f"no encoder {str(source)!r}: " + (f"did you mean {near!r}? " if near else "") + f"give a folder, owner/name of the hub, or one of: {', '.join(shipped) or 'none shipped'}")


@torch.inference_mode()
def embed_smiles(saved: SavedEncoder, molecules: Sequence[str] | MoleculeBatch) -> tuple[np.ndarray, tuple[str, ...]]:
    """``[n, d]`` embeddings of the canonical SMILES of n molecules, NaN rows for those that cannot be read, and n reasons: features for any model.

    Example:
        >>> vectors, reasons = embed_smiles(load_encoder("encoder_small"), ["CCO", "c1ccccc"])  # doctest: +SKIP
    """
    batch = MoleculeBatch.of(molecules)
    encoded = saved.reader.read(batch.canonical)
    reasons = tuple(first or second for first, second in zip(batch.reasons, encoded.reasons, strict=True))
    found = np.full((len(batch), saved.encoder.width), np.nan, dtype=np.float32)
    for rows in batches_by_length(encoded.lengths):
        found[rows] = saved.encoder(torch.from_numpy(pad_rows(encoded, rows, saved.reader.pad))).float().numpy()
    found[[bool(why) for why in reasons]] = np.nan
    return found, reasons


def _own(path: Path) -> SavedEncoder:
    artifact = read_artifact(path, KIND)
    reader = reader_from_text(artifact.text("tokens.json"))
    encoder = rebuild(artifact.config, reader)
    try:
        encoder.load_state_dict({name: value.float() for name, value in artifact.tensors("encoder").items()})
    except RuntimeError as error:
        raise ArtifactError(f"{path}: weights and shape do not belong together ({error})") from None
    own = ("format", "kind", "config", "versions", "files", "parameters")
    return SavedEncoder(encoder.eval(), reader, artifact.config, {key: value for key, value in artifact.manifest.items() if key not in own})


def _foreign(source: str, revision: str | None) -> SavedEncoder:
    from transformers import AutoModel, AutoTokenizer

    local = Path(source).is_dir()
    try:
        with _quiet():
            tokenizer = AutoTokenizer.from_pretrained(source, revision=revision or "main", local_files_only=local, trust_remote_code=False)
            trunk = AutoModel.from_pretrained(source, revision=revision or "main", local_files_only=local, trust_remote_code=False, use_safetensors=True)
    except (OSError, ValueError, KeyError) as error:
        words = " ".join(str(error).split())[:300]
        raise ConfigError(f"{source}: transformers cannot read an encoder there without running code from it ({words})") from None
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or tokenizer.pad_token_id is None or not hasattr(trunk.config, "hidden_size"):
        raise ConfigError(f"{source}: needs a tokenizer of the tokenizers library with a padding token and a model with hidden_size; got {type(tokenizer).__name__}, {type(trunk).__name__}")
    places = getattr(trunk.config, "max_position_embeddings", None)
    # RoBERTa counts positions from the padding token's id onwards
    taken = int(trunk.config.pad_token_id or 0) + 1 if trunk.config.model_type in ("roberta", "xlm-roberta", "camembert") else 0
    reader = TokenizerReader(backend.to_str(), int(tokenizer.pad_token_id), tokenizer.mask_token_id, tokenizer.unk_token_id, None if places is None else int(places) - taken)
    shape = {"foreign": json.loads(trunk.config.to_json_string(use_diff=False))}
    return SavedEncoder(SmilesEncoder(without_pooler(trunk), reader.pad).float().eval(), reader, shape, {"source": source, "revision": revision})


@contextmanager
def _quiet() -> Iterator[None]:
    """transformers draws a bar while it loads, and lists the heads that an encoder has no use for."""
    from transformers.utils import logging as chatter

    level, shown = chatter.get_verbosity(), chatter.is_progress_bar_enabled()
    chatter.set_verbosity_error()
    chatter.disable_progress_bar()
    try:
        yield
    finally:
        chatter.set_verbosity(level)
        if shown:
            chatter.enable_progress_bar()
