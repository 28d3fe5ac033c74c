"""SMILES and SELFIES as tokens: a vocabulary taken from a corpus, exact both ways.

One token is a bracket atom (``[nH]``, ``[C@@H]``, ``[18F-]``), a two-letter element (``Cl``, ``Br``), a two-digit ring number (``%12``) or one character.
Joined tokens give back the string, character for character. A token that a vocabulary does not hold is named with its molecule; nothing is dropped.

Example:
    >>> split_smiles("CC(Cl)c1cc[nH]c1")
    ['C', 'C', '(', 'Cl', ')', 'c', '1', 'c', 'c', '[nH]', 'c', '1']
    >>> vocabulary = Vocabulary.from_corpus(["CC(Cl)c1cc[nH]c1"])
    >>> vocabulary.decode(vocabulary.encode("CCl"))
    'CCl'
    >>> vocabulary.unknown("CCBr")
    ['Br']
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from drugai.errors import E_CHARSET, E_EMPTY, E_FEATURIZE, ConfigError, MoleculeError, reason

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Kind = Literal["smiles", "selfies"]

PAD, BOS, EOS, UNK = 0, 1, 2, 3
SPECIALS = ("<pad>", "<bos>", "<eos>", "<unk>")

# Tokens of more than one character; whatever is left is one character a token. SELFIES is all brackets, so the same rule reads it.
_LONG = r"\[[^\[\]]*\]|Br|Cl|%\(\d+\)|%\d\d"
_LONG_TOKEN = re.compile(_LONG)
_TOKEN = re.compile(f"{_LONG}|.", re.DOTALL)
_PLAIN = re.compile(r"[!-~]+").fullmatch  # printable ASCII without blanks
_CHUNK = 50_000
_PRIVATE = 0xE000  # Unicode's private area: one code point stands for one long token while a whole chunk is translated at once


def split_smiles(smi: str) -> list[str]:
    """The tokens of one SMILES or SELFIES string; joined they are the string again."""
    return _TOKEN.findall(smi)


@dataclass(frozen=True, eq=False)
class Encoded:
    """n molecules as one flat token array, each ended by ``<eos>`` and without ``<bos>``.

    Attributes:
        flat: uint8 or uint16, all tokens in a row.
        offsets: ``[n + 1]`` int64; molecule i is ``flat[offsets[i]:offsets[i + 1]]``, which is empty where there is a reason.
        reasons: n reasons, ``""`` for a molecule that was encoded.
    """

    flat: np.ndarray
    offsets: np.ndarray
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """``[n]`` tokens with ``<eos>``; 0 where there is a reason."""
        return np.diff(self.offsets)

    def row(self, index: int) -> np.ndarray:
        """The tokens of molecule ``index``."""
        return self.flat[self.offsets[index] : self.offsets[index + 1]]


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that a model can read and write, in the order of their ids; the first four are ``<pad> <bos> <eos> <unk>``."""

    tokens: tuple[str, ...]
    kind: Kind = "smiles"
    _ids: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens", tuple(self.tokens))
        if self.tokens[:4] != SPECIALS:
            raise ConfigError(f"a vocabulary begins with {' '.join(SPECIALS)}, got {' '.join(self.tokens[:4])}")
        if self.kind not in ("smiles", "selfies"):
            raise ConfigError(f"vocabulary kind {self.kind!r}; the kinds are smiles, selfies")
        repeated = [token for token, count in Counter(self.tokens).items() if count > 1]
        if repeated:
            raise ConfigError(f"the vocabulary names {', '.join(repeated[:10])} more than once")
        object.__setattr__(self, "_ids", {token: index for index, token in enumerate(self.tokens)})

    @classmethod
    def from_corpus(cls, smiles: Iterable[str], kind: Kind = "smiles", *, least: int = 1) -> Vocabulary:
        """Every token that occurs at least ``least`` times, in alphabetical order. Molecules that SELFIES cannot write are passed over."""
        counts: Counter[str] = Counter()
        for strings in _chunks(smiles):
            for text, problem in (_as_written(smi, kind) for smi in strings):
                if not problem:
                    counts.update(split_smiles(text))
        return cls(SPECIALS + tuple(sorted(token for token, count in counts.items() if count >= least)), kind)

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._ids

    def extended(self, smiles: Iterable[str]) -> Vocabulary:
        """This vocabulary with the further tokens of ``smiles`` appended, so that the old ids stay."""
        new = Vocabulary.from_corpus(smiles, self.kind).tokens[len(SPECIALS) :]
        return Vocabulary(self.tokens + tuple(token for token in new if token not in self._ids), self.kind)

    def unknown(self, smi: str) -> list[str]:
        """The tokens of one molecule that this vocabulary does not hold, each once, in order of appearance."""
        text, problem = _as_written(smi, self.kind)
        return [] if problem else [token for token in dict.fromkeys(split_smiles(text)) if token not in self._ids]

    def encode(self, smi: str) -> np.ndarray:
        """Token ids of one molecule, ended by ``<eos>``. Raises MoleculeError naming what cannot be spelled."""
        encoded = self.encode_many([smi])
        if encoded.reasons[0]:
            raise MoleculeError(f"{smi!r}: {encoded.reasons[0].partition(': ')[2]}")
        return encoded.row(0)

    def encode_many(self, smiles: Sequence[str]) -> Encoded:
        """Token ids of n molecules, a million SMILES in a few seconds.

        A chunk is joined by line ends, its long tokens are replaced by one character each, and the characters are looked up in one table.
        """
        dtype = np.uint8 if len(self.tokens) <= 256 else np.uint16
        long_tokens = {token: chr(_PRIVATE + index) for index, token in enumerate(self.tokens) if len(token) > 1 and index > UNK}
        table = np.full(0x10000, UNK, dtype=dtype)
        table[ord("\n")] = EOS
        for token, index in self._ids.items():
            if index > UNK:
                table[ord(long_tokens.get(token, token))] = index
        missing = chr(_PRIVATE + len(self.tokens))
        flats: list[np.ndarray] = []
        lengths: list[np.ndarray] = []
        reasons: list[str] = []
        for strings in _chunks(smiles):
            pairs = [_as_written(smi, self.kind) for smi in strings]
            joined = "\n".join("" if problem else text for text, problem in pairs) + "\n"
            packed = _LONG_TOKEN.sub(lambda match: long_tokens.get(match.group(), missing), joined)
            ids = table[np.frombuffer(packed.encode("utf-16-le"), dtype="<u2")]
            ends = np.flatnonzero(ids == EOS)
            size = np.diff(ends, prepend=-1)
            rows = np.searchsorted(ends, np.flatnonzero(ids == UNK))
            problems = [problem for _, problem in pairs]
            for row in np.unique(rows):
                problems[row] = _names_unknown(self.unknown(strings[row]))
            keep = np.array([not problem for problem in problems], dtype=bool)
            flats.append(ids[np.repeat(keep, size)])
            lengths.append(np.where(keep, size, 0))
            reasons.extend(problems)
        sizes = np.concatenate(lengths) if lengths else np.zeros(0, dtype=np.int64)
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return Encoded(np.concatenate(flats) if flats else np.zeros(0, dtype=dtype), offsets, tuple(reasons))

    def decode(self, ids: Sequence[int] | np.ndarray) -> str:
        """The SMILES of token ids: up to the first ``<eos>``, without ``<bos>`` and ``<pad>``. SELFIES are translated to SMILES."""
        parts: list[str] = []
        for index in ids:
            if index == EOS:
                break
            if index not in (PAD, BOS):
                parts.append(self.tokens[index])
        text = "".join(parts)
        if self.kind == "smiles" or not text:
            return text
        import selfies

        return str(selfies.decoder(text))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"kind": self.kind, "tokens": list(self.tokens)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Vocabulary:
        """The vocabulary that :meth:`to_dict` wrote."""
        return cls(tuple(values["tokens"]), values["kind"])

    def to_transformers(self) -> PreTrainedTokenizerFast:
        """The same tokens and ids as a Hugging Face tokenizer; it adds ``<bos>`` and ``<eos>`` and reads an unheld token as ``<unk>``."""
        from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
        from transformers import PreTrainedTokenizerFast

        tokenizer = Tokenizer(models.WordLevel(dict(self._ids), unk_token=SPECIALS[UNK]))
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(f"{_LONG}|."), behavior="isolated")
        tokenizer.decoder = decoders.Fuse()
        tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A <eos>", special_tokens=[(SPECIALS[BOS], BOS), (SPECIALS[EOS], EOS)])
        return PreTrainedTokenizerFast(
            tokenizer_object=tokenizer,
            pad_token=SPECIALS[PAD],
            bos_token=SPECIALS[BOS],
            eos_token=SPECIALS[EOS],
            unk_token=SPECIALS[UNK],
            clean_up_tokenization_spaces=False,
        )


def _names_unknown(tokens: Sequence[str]) -> str:
    return reason(E_FEATURIZE, f"the vocabulary has no token {', '.join(tokens[:10])}; extend_vocabulary() adds it")


def _as_written(smi: str, kind: Kind) -> tuple[str, str]:
    """The string to be split, and a reason where there is none."""
    if not smi:
        return "", reason(E_EMPTY, "the SMILES is empty")
    if not _PLAIN(smi):
        return "", reason(E_CHARSET, "the SMILES has a blank or a character that is not printable ASCII")
    if kind == "smiles":
        return smi, ""
    import selfies

    try:
        return str(selfies.encoder(smi)), ""
    except selfies.EncoderError as error:
        words = " ".join(str(error).split())
        return "", reason(E_FEATURIZE, f"SELFIES cannot write the molecule ({words[:200]})")


def _chunks(smiles: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for smi in smiles:
        chunk.append(smi)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
