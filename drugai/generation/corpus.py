"""A corpus of molecules as tokens: encoded once, kept as flat arrays, served in batches of like length.

Order and batches are a function of (seed, pass) alone, so that a killed training resumes at its step.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drugai.artifact import write_text_atomically
from drugai.errors import E_TOO_LONG, DatasetError, count_reasons, reason
from drugai.featurizers.tokens import BOS, PAD, Kind, Vocabulary
from drugai.molecules.batch import MoleculeBatch
from drugai.runtime import generator

logger = logging.getLogger(__name__)

LEAST_MOLECULES = 50
_CHUNK = 10_000  # molecules that are parsed at a time, so that memory stays flat
_POOL = 64  # batches whose molecules are sorted by length together: padding falls below 1 % and the order stays random


@dataclass(frozen=True, eq=False)
class Corpus:
    """Molecules as tokens.

    Attributes:
        vocabulary: What the ids mean.
        flat: uint8 or uint16 tokens of all molecules, each ended by ``<eos>``.
        offsets: ``[n + 1]`` int64; molecule i is ``flat[offsets[i]:offsets[i + 1]]``.
        rejected: (position in the input, SMILES, reason) of what could not be encoded, the first 1,000.
        n_rejected: How many could not be encoded.
    """

    vocabulary: Vocabulary
    flat: np.ndarray
    offsets: np.ndarray
    rejected: tuple[tuple[int, str, str], ...] = ()
    n_rejected: int = 0

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """``[n]`` tokens of each molecule with its ``<eos>``."""
        return np.diff(self.offsets)

    @property
    def n_tokens(self) -> int:
        """Tokens that a model is asked to predict in one pass."""
        return int(self.offsets[-1])

    def smiles(self, rows: Sequence[int] | np.ndarray) -> list[str]:
        """The molecules at ``rows`` as text."""
        return [self.vocabulary.decode(self.flat[self.offsets[row] : self.offsets[row + 1]]) for row in rows]

    def batch(self, rows: np.ndarray) -> np.ndarray:
        """Tokens ``[B, 1 + T]`` int64 of the molecules at ``rows``: ``<bos>``, the molecule, ``<eos>``, ``<pad>``."""
        return padded(self.flat, self.offsets, rows)

    def save(self, folder: str | Path) -> Path:
        """Keep the arrays in a folder, from which :meth:`load` maps them into memory."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        np.save(target / "tokens.npy", self.flat, allow_pickle=False)
        np.save(target / "offsets.npy", self.offsets, allow_pickle=False)
        record = {"vocabulary": self.vocabulary.to_dict(), "rejected": self.rejected, "n_rejected": self.n_rejected}
        write_text_atomically(target / "corpus.json", json.dumps(record) + "\n")
        return target

    @classmethod
    def load(cls, folder: str | Path) -> Corpus:
        """The corpus that :meth:`save` kept."""
        source = Path(folder)
        if not (source / "corpus.json").is_file():
            raise DatasetError(f"{source}: no corpus.json there, so it is no encoded corpus; write one with encode_corpus(...).save(folder)")
        record = json.loads((source / "corpus.json").read_text(encoding="utf-8"))
        return cls(
            Vocabulary.from_dict(record["vocabulary"]),
            np.load(source / "tokens.npy", mmap_mode="r", allow_pickle=False),
            np.load(source / "offsets.npy", allow_pickle=False),
            tuple((int(row), str(smi), str(text)) for row, smi, text in record["rejected"]),
            int(record["n_rejected"]),
        )


def encode_corpus(
    smiles: Sequence[str], vocabulary: Vocabulary | None = None, *, kind: Kind = "smiles", longest: int = 512, least: int = LEAST_MOLECULES, check: bool = True
) -> Corpus:
    """Encode molecules as tokens.

    Args:
        smiles: n SMILES.
        vocabulary: Tokens to use; taken from the corpus itself if None.
        kind: SMILES or SELFIES, where the vocabulary is taken from the corpus.
        longest: Molecules of more tokens than this are rejected.
        least: Fewest molecules that make a corpus.
        check: Let RDKit read every molecule (10,000 a CPU-second) and reject the unreadable; False for a corpus that is known to be clean.

    Raises:
        DatasetError: Fewer than ``least`` molecules can be used; the first reasons are named.
    """
    unread: dict[int, str] = {}
    for begin in range(0, len(smiles) if check else 0, _CHUNK):
        found = MoleculeBatch(smiles[begin : begin + _CHUNK]).reasons
        unread.update({row: text for row, text in enumerate(found, begin) if text})
    if vocabulary is None:  # a misprint shall not become a token
        vocabulary = Vocabulary.from_corpus((smi for row, smi in enumerate(smiles) if row not in unread), kind)
    encoded = vocabulary.encode_many(smiles)
    lengths = encoded.lengths
    reasons = dict.fromkeys(np.flatnonzero(lengths > longest).tolist(), reason(E_TOO_LONG, f"more than {longest} tokens"))
    reasons.update({row: text for row, text in enumerate(encoded.reasons) if text})
    reasons.update(unread)
    keep = np.ones(len(smiles), dtype=bool)
    keep[list(reasons)] = False
    rejected = tuple((row, smiles[row], reasons[row]) for row in sorted(reasons)[:1000])
    if int(keep.sum()) < least:
        shown = "; ".join(f"molecule {row} {smi[:60]!r}: {text}" for row, smi, text in rejected[:10])
        raise DatasetError(f"the corpus has {int(keep.sum())} usable molecules of {len(smiles)}, at least {least} are needed{'; ' + shown if shown else ''}")
    if reasons:
        logger.warning("%d of %d molecules were rejected: %s", len(reasons), len(smiles), count_reasons(reasons.values()))
    flat = encoded.flat if keep.all() else encoded.flat[np.repeat(keep, lengths)]
    offsets = np.concatenate([[0], np.cumsum(lengths[keep])]).astype(np.int64)
    return Corpus(vocabulary, flat, offsets, rejected, len(reasons))


def padded(flat: np.ndarray, offsets: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Tokens ``[B, 1 + T]`` int64 with ``<bos>`` before each molecule and ``<pad>`` after the shorter ones."""
    begins, sizes = offsets[rows], offsets[rows + 1] - offsets[rows]
    steps = np.arange(int(sizes.max()))
    inside = steps < sizes[:, None]  # [B, T]
    block = np.full((len(rows), 1 + len(steps)), PAD, dtype=np.int64)
    block[:, 0] = BOS
    block[:, 1:][inside] = flat[(begins[:, None] + steps)[inside]]
    return block


def bucketed(lengths: np.ndarray, size: int, seed: int, epoch: int) -> Iterator[np.ndarray]:
    """Rows of one pass over a corpus in batches of like length, in random order: a function of (seed, epoch) alone."""
    random = generator(seed, "batches", epoch)
    order = random.permutation(len(lengths))
    pool = size * _POOL
    for begin in range(0, len(order), pool):
        rows = order[begin : begin + pool]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        batches = [rows[at : at + size] for at in range(0, len(rows), size)]
        for index in random.permutation(len(batches)):
            yield batches[index]
