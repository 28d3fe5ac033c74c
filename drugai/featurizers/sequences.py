"""SMILES as rows of token ids for an encoder, by a vocabulary of ours or by the tokenizer of a model from elsewhere.

A token that the vocabulary lacks gives the molecule a reason that names it; nothing is read as "unknown".
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from drugai.errors import E_FEATURIZE, code_of, reason
from drugai.featurizers.tokens import PAD, SPECIALS, UNK, Encoded, Vocabulary

_COMMON = (
    "# ( ) * - . / \\ : = 1 2 3 4 5 6 7 8 9 %10 %11 %12 %13 %14 %15 B Br C Cl F I N O P S b c n o p s "
    "[H] [C@H] [C@@H] [C@] [C@@] [CH-] [CH] [CH2] [C-] [c-] [cH-] [nH] [n+] [n-] [nH+] [N+] [N-] [N] [NH] [NH+] [NH2+] [NH3+] [NH4+] [NH-] [N@+] [N@@+] [O-] [O+] [o+] [O] [OH-] "
    "[S-] [S+] [s+] [S@] [S@@] [S@+] [S@@+] [SH] [P+] [P@] [P@@] [PH] [P-] [B-] [BH-] [BH3-] [Si] [SiH] [Se] [se] [As] [Te] [Sn] [2H] [3H] "
    "[F-] [Cl-] [Br-] [I-] [I+] [Cl+3] [H+] [Li+] [Na+] [K+] [Ca+2] [Mg+2] [Zn+2] [Al+3] [Fe+2] [Fe+3] [Cu+2] [Ag+] [Pt] [Pt+2] [Hg] [Hg+2]"
)
COMMON = tuple(_COMMON.split())
"""Tokens that every vocabulary of ours has: drug-like molecules, their salts, and what random spellings add to canonical SMILES."""


class SmilesReader(ABC):
    """SMILES → token ids. ``pad`` fills short rows, ``mask`` stands for a hidden token (None: there is none), ``longest`` is the most tokens a row may have."""

    pad: int
    mask: int | None
    longest: int | None
    size: int

    @abstractmethod
    def read(self, smiles: Sequence[str]) -> Encoded:
        """The rows of n SMILES; an empty row and a reason for one that cannot be spelled."""

    @abstractmethod
    def to_text(self) -> str:
        """The reader as JSON, read again by :func:`reader_from_text`."""


class VocabularyReader(SmilesReader):
    """Our own tokens (:mod:`drugai.featurizers.tokens`), each molecule ended by ``<eos>``. ``<unk>``, which no molecule is given, serves as the mask."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.pad, self.mask, self.longest = PAD, UNK, None
        self.size = len(vocabulary)

    @classmethod
    def of(cls, smiles: Sequence[str]) -> VocabularyReader:
        """The tokens of a corpus and the common ones."""
        return cls(Vocabulary((*SPECIALS, *COMMON)).extended(smiles))

    def read(self, smiles: Sequence[str]) -> Encoded:
        """Rows of n SMILES, each ended by ``<eos>``."""
        found = self.vocabulary.encode_many(smiles)
        named = tuple(_missing(self.vocabulary.unknown(smi)) if code_of(why) == E_FEATURIZE else why for smi, why in zip(smiles, found.reasons, strict=True))
        return Encoded(found.flat, found.offsets, named)

    def extended(self, smiles: Sequence[str]) -> VocabularyReader:
        """A reader that also holds the tokens of ``smiles``; the old ids stay."""
        return VocabularyReader(self.vocabulary.extended(smiles))

    def to_text(self) -> str:
        """The vocabulary as JSON."""
        return json.dumps({"vocabulary": self.vocabulary.to_dict()})


class TokenizerReader(SmilesReader):
    """The tokenizer of a Hugging Face model.

    Args:
        text: What ``tokenizer.json`` holds.
        pad, mask, unknown: Ids; None where the tokenizer has none.
        longest: Most tokens that the model can place.
    """

    def __init__(self, text: str, pad: int, mask: int | None, unknown: int | None, longest: int | None) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_str(text)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.pad, self.mask, self.longest, self.unknown = pad, mask, longest, unknown
        self.size = int(self._tokenizer.get_vocab_size())

    def read(self, smiles: Sequence[str]) -> Encoded:
        """Rows of n SMILES with the special tokens that the tokenizer adds."""
        rows: list[list[int]] = []
        reasons: list[str] = []
        for smi, found in zip(smiles, self._tokenizer.encode_batch(list(smiles)), strict=True):
            missing = [smi[begin:end] for number, (begin, end) in zip(found.ids, found.offsets, strict=True) if number == self.unknown]
            why = _missing(list(dict.fromkeys(missing))) if missing else ""
            if not why and self.longest is not None and len(found.ids) > self.longest:
                why = reason(E_FEATURIZE, f"{len(found.ids)} tokens; the encoder reads {self.longest}")
            rows.append([] if why or not smi else found.ids)
            reasons.append(why)
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        return Encoded(np.array([number for row in rows for number in row], dtype=np.int64), offsets, tuple(reasons))

    def to_text(self) -> str:
        """The tokenizer as JSON."""
        return json.dumps({"tokenizer": self._tokenizer.to_str(), "pad": self.pad, "mask": self.mask, "unknown": self.unknown, "longest": self.longest})


def reader_from_text(text: str) -> SmilesReader:
    """The reader that :meth:`SmilesReader.to_text` wrote."""
    values: Mapping[str, Any] = json.loads(text)
    if "vocabulary" in values:
        return VocabularyReader(Vocabulary.from_dict(values["vocabulary"]))
    return TokenizerReader(values["tokenizer"], values["pad"], values["mask"], values["unknown"], values["longest"])


def pad_rows(encoded: Encoded, rows: np.ndarray, pad: int) -> np.ndarray:
    """Tokens ``[B, T]`` int64 of the molecules at ``rows``, the shorter ones filled up with ``pad``."""
    begins, sizes = encoded.offsets[rows], encoded.lengths[rows]
    steps = np.arange(int(sizes.max(initial=1)))
    inside = steps < sizes[:, None]  # [B, T]
    block = np.full(inside.shape, pad, dtype=np.int64)
    block[inside] = encoded.flat[(begins[:, None] + steps)[inside]]
    return block


def batches_by_length(lengths: np.ndarray, budget: int = 8192) -> Iterator[np.ndarray]:
    """Rows of a length above 0, the short ones first, in batches of at most ``budget`` places: little is padded, and a long molecule takes no more memory than many short."""
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    begin = 0
    while begin < len(order):
        end = begin + 1
        while end < len(order) and (end - begin + 1) * lengths[order[end]] <= budget:
            end += 1
        yield order[begin:end]
        begin = end


def _missing(tokens: Sequence[str]) -> str:
    return reason(E_FEATURIZE, f"the encoder's vocabulary has no token {', '.join(tokens[:10])}")
