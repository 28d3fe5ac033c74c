"""A small world of drugs and diseases, and an encoder that needs no weights."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from drugai.linking.fitting import LinkerConfig
from drugai.linking.lexical import tokens
from drugai.linking.tables import LinkTables, read_primer
from drugai.linking.towers import TowerConfig
from drugai.models.text import TextEncoder
from drugai.training.loop import LoopConfig


class WordEncoder(TextEncoder):
    """Texts as sums of random vectors of their words: near texts share words. Stands for the sentence encoder where its knowledge is not what is tested."""

    width = 64  # type: ignore[assignment]

    def __init__(self) -> None:
        self.name, self.key, self.length = "words", "words", 128

    def encode(self, batch, *, batch_size: int = 32):  # type: ignore[no-untyped-def]
        rows = np.zeros((len(batch), self.width), dtype=np.float32)
        for row, text in enumerate(batch):
            for word in tokens(text):
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
                rows[row] += np.random.default_rng(seed).standard_normal(self.width)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    def remember(self, texts, embeddings) -> None:  # type: ignore[no-untyped-def]
        return None


@pytest.fixture(scope="session")
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture(scope="session")
def primer() -> LinkTables:
    return read_primer()


@pytest.fixture(scope="session")
def quick() -> LinkerConfig:
    loop = LoopConfig(epochs=5, learning_rate=4e-3, precision="fp32", device="cpu")
    return LinkerConfig(towers=TowerConfig(width=32, hidden=32, loop=loop), folds=2)
