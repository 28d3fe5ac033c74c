"""Graphs as tensors on a device, and the sums and softmaxes over their atoms that every graph network needs."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from drugai.featurizers.graphs import ATOM_COLUMNS, BOND_CODES, GraphBatch


@dataclass(frozen=True, eq=False)
class GraphTensors:
    """B graphs on a device.

    Attributes:
        atoms: ``[V, 7]`` long.
        source, target: ``[E]`` long; edges 2k and 2k + 1 are the two directions of a bond.
        bonds: ``[E]`` long codes.
        molecule: ``[V]`` long.
        size: B.
        extra: ``[B, x]`` float features of whole molecules (descriptors, fingerprint), or None.
    """

    atoms: torch.Tensor
    source: torch.Tensor
    target: torch.Tensor
    bonds: torch.Tensor
    molecule: torch.Tensor
    size: int
    extra: torch.Tensor | None = None

    def to(self, device: torch.device | str) -> GraphTensors:
        """The same graphs on another device."""
        atoms, source, target, bonds, molecule = (
            part.to(device, non_blocking=True) for part in (self.atoms, self.source, self.target, self.bonds, self.molecule)
        )
        return GraphTensors(atoms, source, target, bonds, molecule, self.size, None if self.extra is None else self.extra.to(device, non_blocking=True))


def to_tensors(batch: GraphBatch, extra: torch.Tensor | None = None) -> GraphTensors:
    """A collated batch as tensors on the CPU."""
    return GraphTensors(
        torch.from_numpy(batch.atoms).long(),
        torch.from_numpy(batch.source),
        torch.from_numpy(batch.target),
        torch.from_numpy(batch.bonds).long(),
        torch.from_numpy(batch.molecule),
        batch.size,
        extra,
    )


def atom_keys(atoms: torch.Tensor) -> torch.Tensor:
    """``[V]`` one integer for each combination of atom codes, so that atoms of a kind can be computed once."""
    key = atoms[:, 0]
    for column, size in enumerate(list(ATOM_COLUMNS.values())[1:], start=1):
        key = key * size + atoms[:, column]
    return key


def distinct_atoms(atoms: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The K distinct rows of ``atoms`` ``[K, 7]`` and each atom's row among them ``[V]``: a library has about a hundred kinds of atoms."""
    if atoms.device.type == "meta":
        return atoms, torch.zeros(atoms.shape[0], dtype=torch.long, device="meta")
    keys, which = torch.unique(atom_keys(atoms), return_inverse=True)
    rows = torch.empty((len(keys), atoms.shape[1]), dtype=torch.long, device=atoms.device)
    remaining = keys
    for column, size in reversed(list(enumerate(ATOM_COLUMNS.values()))):
        rows[:, column] = remaining % size if column else remaining
        remaining = torch.div(remaining, size, rounding_mode="floor")
    return rows, which


def sum_by(values: torch.Tensor, index: torch.Tensor, size: int) -> torch.Tensor:
    """``[size, d]`` sums of the rows of ``values`` ``[n, d]`` that share an index."""
    return torch.zeros((size, values.shape[1]), dtype=values.dtype, device=values.device).index_add_(0, index, values)


def softmax_by(scores: torch.Tensor, index: torch.Tensor, size: int) -> torch.Tensor:
    """``[n, h]`` softmax of ``scores`` among the rows that share an index."""
    highest = torch.full((size, scores.shape[1]), -torch.inf, dtype=scores.dtype, device=scores.device)
    highest = highest.scatter_reduce(0, index[:, None].expand_as(scores), scores, "amax")
    weights = torch.exp(scores - highest[index])
    return weights / sum_by(weights, index, size).clamp_min(1e-12)[index]


class CodeEmbedding(torch.nn.Module):
    """Sum of one embedding a column: integer codes ``[n, c]`` → ``[n, d]``."""

    def __init__(self, sizes: tuple[int, ...], width: int) -> None:
        super().__init__()
        starts = torch.tensor([0, *sizes[:-1]]).cumsum(0)
        self.register_buffer("starts", starts, persistent=False)
        self.starts: torch.Tensor
        self.table = torch.nn.Embedding(sum(sizes), width)
        torch.nn.init.normal_(self.table.weight, std=len(sizes) ** -0.5)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """``[n, c]`` codes → ``[n, d]``."""
        summed: torch.Tensor = self.table(codes + self.starts).sum(1)
        return summed


def atom_embedding(width: int) -> CodeEmbedding:
    """Embedding of atom codes."""
    return CodeEmbedding(tuple(ATOM_COLUMNS.values()), width)


def bond_embedding(width: int) -> torch.nn.Embedding:
    """Embedding of bond codes."""
    return torch.nn.Embedding(BOND_CODES, width)
