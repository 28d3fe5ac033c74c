"""Similarity of large sets of fingerprints: the nearest of 176,000 references for 30,000 molecules in seconds, exactly.

Bits are counted by matrix products in bfloat16, which is exact here: the operands are 0 and 1, sums are kept in float32, and a count up to 256 has a bfloat16 of its own.
The nearest reference is found by blocks: the union of the bits of eight like references bounds the similarity to each of them, and 99 blocks of 100 are passed over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from drugai.errors import ConfigError

_BLOCK = 8  # references that share a bound; with 16 seven times as many blocks must be looked into
_SLICE = 512
_PAIRS = 200_000


@dataclass(frozen=True, eq=False)
class ReferenceBits:
    """Fingerprints of reference molecules, laid out for the search.

    Attributes:
        packed: ``[blocks, 8, words]`` uint64, the fingerprints in an order in which like stands by like; the last block is filled with repeats.
        sizes: ``[blocks, 8]`` int16, bits set.
        unions: ``[blocks, words]`` uint64, the bits that any of the eight has.
        bits: Width d of a fingerprint.
    """

    packed: np.ndarray
    sizes: np.ndarray
    unions: np.ndarray
    bits: int

    @classmethod
    def prepare(cls, fingerprints: np.ndarray, seed: int = 0) -> ReferenceBits:
        """Order ``[n, d]`` bits (0 and 1) into blocks of like molecules; d is a multiple of 64."""
        n, bits = fingerprints.shape
        if n == 0 or bits % 64:
            raise ConfigError(f"reference fingerprints of shape {fingerprints.shape}: need at least one row and a width that is a multiple of 64")
        order = _like_by_like(fingerprints, seed)
        order = np.concatenate([order, np.repeat(order[-1:], -n % _BLOCK)])
        packed = _pack(fingerprints[order]).reshape(-1, _BLOCK, bits // 64)
        sizes = np.bitwise_count(packed).sum(-1, dtype=np.int16)
        return cls(packed, sizes, np.bitwise_or.reduce(packed, axis=1), bits)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Arrays for a file."""
        return {"packed": self.packed}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> ReferenceBits:
        """The reference that :meth:`to_arrays` wrote."""
        packed = arrays["packed"]
        sizes = np.bitwise_count(packed).sum(-1, dtype=np.int16)
        return cls(packed, sizes, np.bitwise_or.reduce(packed, axis=1), packed.shape[2] * 64)


@torch.inference_mode()
def nearest_similarity(fingerprints: np.ndarray, reference: ReferenceBits) -> np.ndarray:
    """``[n]`` float64 Tanimoto similarity of each fingerprint ``[n, d]`` to the most similar reference; two rows of zeros count as 1 (as in MOSES)."""
    if fingerprints.shape[1] != reference.bits:
        raise ConfigError(f"fingerprints of {fingerprints.shape[1]} bits against references of {reference.bits}; compute both with the same width")
    unions = _tensor(np.unpackbits(reference.unions.view(np.uint8), axis=1)).t().contiguous()  # [d, blocks]
    least = torch.from_numpy(reference.sizes.min(1).astype(np.float32))
    best = np.zeros(len(fingerprints))
    for begin in range(0, len(fingerprints), _SLICE):
        rows = fingerprints[begin : begin + _SLICE]
        query, sizes = _pack(rows), rows.sum(1, dtype=np.int16)
        common = (_tensor(rows) @ unions).float()
        # Tanimoto grows with the common bits, of which a block can offer `common`, and falls with the reference's size
        bound = common / torch.maximum(least, common).add_(torch.from_numpy(sizes.astype(np.float32))[:, None]).sub_(common).clamp_(min=1e-9)
        found = np.zeros(len(rows))
        first = bound.topk(min(16, bound.shape[1]), dim=1).indices
        every = torch.arange(len(rows))[:, None].expand_as(first)
        _look(query, sizes, reference, every.reshape(-1).numpy(), first.reshape(-1).numpy(), found)
        hopeful = (bound >= torch.from_numpy(found.astype(np.float32) - 1e-6)[:, None]).nonzero().numpy()
        for at in range(0, len(hopeful), _PAIRS):
            part = hopeful[at : at + _PAIRS]
            _look(query, sizes, reference, part[:, 0], part[:, 1], found)
        if (sizes == 0).any():  # nothing is in common with a row of zeros; another such row is the same
            found[sizes == 0] = float((reference.sizes == 0).any())
        best[begin : begin + _SLICE] = found
    return best


@torch.inference_mode()
def mean_similarity(fingerprints: np.ndarray, powers: tuple[int, ...] = (1, 2)) -> dict[int, np.ndarray]:
    """For each power p the ``[n]`` float64 mean over j of T(i, j)^p within one set of bits ``[n, d]``, the molecule itself included."""
    n = len(fingerprints)
    bits = _tensor(fingerprints)
    sizes = torch.from_numpy(fingerprints.sum(1).astype(np.float32))
    sums = {power: torch.zeros(n, dtype=torch.float64) for power in powers}
    for begin in range(0, n, _SLICE):
        end = min(begin + _SLICE, n)
        # T is symmetric: columns before the slice were seen as rows
        for left in range(begin, n, 8192):
            right = min(left + 8192, n)
            similarity = _tanimoto(bits[begin:end], bits[left:right], sizes[begin:end], sizes[left:right])
            own = max(0, min(end, right) - left) if left < end else 0  # the slice against itself counts once
            for power in powers:
                term = similarity if power == 1 else similarity.pow(power)
                sums[power][begin:end] += term.sum(1)
                sums[power][left + own : right] += term[:, own:].sum(0)
    return {power: (total / n).numpy() for power, total in sums.items()}


def _tanimoto(a: Tensor, b: Tensor, size_a: Tensor, size_b: Tensor) -> Tensor:
    common = (a @ b.t()).float()
    total = (size_a[:, None] + size_b).sub_(common)
    both_empty = total == 0
    return torch.where(both_empty, 1.0, common.div_(total.masked_fill_(both_empty, 1.0))) if bool(both_empty.any()) else common.div_(total)


def _look(query: np.ndarray, sizes: np.ndarray, reference: ReferenceBits, rows: np.ndarray, blocks: np.ndarray, found: np.ndarray) -> None:
    """Raise ``found[row]`` to the best similarity of the row to a member of the block, for pairs of row and block."""
    common = np.bitwise_count(query[rows][:, None, :] & reference.packed[blocks]).sum(-1, dtype=np.int16)  # [pairs, 8]
    total = sizes[rows][:, None] + reference.sizes[blocks] - common
    np.maximum.at(found, rows, (common / np.maximum(total, 1)).max(1))


def _like_by_like(fingerprints: np.ndarray, seed: int) -> np.ndarray:
    """An order of the rows: by the most similar of n/22 rows drawn at random, then by how similar."""
    n = len(fingerprints)
    chosen = np.sort(np.random.default_rng(seed).permutation(n)[: max(1, n // 22)])
    bits = _tensor(fingerprints)
    sizes = torch.from_numpy(fingerprints.sum(1).astype(np.float32))
    centre = np.zeros(n, dtype=np.int64)
    close = np.zeros(n, dtype=np.float32)
    centres, centre_sizes = bits[chosen], sizes[chosen]
    for begin in range(0, n, 2048):
        similarity = _tanimoto(bits[begin : begin + 2048], centres, sizes[begin : begin + 2048], centre_sizes)
        value, index = similarity.max(1)
        centre[begin : begin + 2048], close[begin : begin + 2048] = index.numpy(), value.numpy()
    return np.lexsort((-close, centre))


def _pack(rows: np.ndarray) -> np.ndarray:
    """Bits ``[n, d]`` → words ``[n, d / 64]`` uint64."""
    return np.packbits(np.ascontiguousarray(rows), axis=1).view(np.uint64)


def _tensor(bits: np.ndarray) -> Tensor:
    """Bits as the number type in which this processor multiplies them fastest."""
    fast = torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32
    # a copy: fingerprints shared through a MoleculeBatch are read-only, which torch does not know
    return torch.from_numpy(np.array(bits)).to(fast)
