"""Distinct environments as tensors on a device, and the work over their rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from drugai.featurizers.environments import Environments

_TILE = 1024
"""Rows of a product on a CPU: they stay in its cache, and there are eight shapes in all."""


@dataclass(frozen=True, eq=False)
class StepTensors:
    """A :class:`~drugai.featurizers.environments.Step` on a device; ``target`` ``[E]`` is the row that each source flows into."""

    own: torch.Tensor
    source: torch.Tensor
    bonds: torch.Tensor
    target: torch.Tensor

    def to(self, device: torch.device | str) -> StepTensors:
        """The same on another device."""
        return StepTensors(*(part.to(device, non_blocking=True) for part in (self.own, self.source, self.bonds, self.target)))


@dataclass(frozen=True, eq=False)
class EnvironmentTensors:
    """B graphs as distinct environments, see :class:`~drugai.featurizers.environments.Environments`.

    Attributes:
        molecule: ``[V]`` long molecule of each atom.
        size: B.
        extra: ``[B, x]`` float features of whole molecules, or None.
    """

    kinds: torch.Tensor
    pairs: torch.Tensor
    steps: tuple[StepTensors, ...]
    which: torch.Tensor
    first: torch.Tensor
    molecule: torch.Tensor
    size: int
    extra: torch.Tensor | None = None

    def to(self, device: torch.device | str) -> EnvironmentTensors:
        """The same on another device."""
        kinds, pairs, which, first, molecule = (part.to(device, non_blocking=True) for part in (self.kinds, self.pairs, self.which, self.first, self.molecule))
        extra = None if self.extra is None else self.extra.to(device, non_blocking=True)
        return replace(self, kinds=kinds, pairs=pairs, steps=tuple(step.to(device) for step in self.steps), which=which, first=first, molecule=molecule, extra=extra)


def to_environment_tensors(found: Environments, extra: torch.Tensor | None = None) -> EnvironmentTensors:
    """Environments as tensors on the CPU."""
    steps = []
    for step in found.steps:
        starts = torch.from_numpy(step.starts)
        target = torch.repeat_interleave(torch.arange(len(starts) - 1), starts.diff())
        steps.append(StepTensors(torch.from_numpy(step.own), torch.from_numpy(step.source), torch.from_numpy(step.bonds), target))
    first = torch.from_numpy(found.first)
    counts = torch.diff(first, append=torch.tensor([len(found.which)]))
    molecule = torch.repeat_interleave(torch.arange(len(first)), counts)
    return EnvironmentTensors(
        torch.from_numpy(found.kinds), torch.from_numpy(found.pairs), tuple(steps), torch.from_numpy(found.which), first, molecule, len(first), extra
    )


def by_rows(work: Callable[[torch.Tensor], torch.Tensor], rows: torch.Tensor) -> torch.Tensor:
    """``work`` over the rows ``[K, d]``: on a CPU in tiles, elsewhere at once."""
    if rows.device.type != "cpu" or len(rows) <= _TILE:
        return work(rows)
    return torch.cat([work(tile) for tile in rows.split(_TILE)])


def sum_sources(states: torch.Tensor, step: StepTensors) -> torch.Tensor:
    """``[K, d]`` sums of the states ``[K', d]`` that flow into each row of a step."""
    out = torch.zeros((len(step.own), states.shape[1]), dtype=states.dtype, device=states.device)
    return out.index_add_(0, step.target, states.index_select(0, step.source))
