"""Low-rank updates: every linear layer of an encoder's blocks gets two thin matrices that are learnt while it is frozen, and is merged with them at the end.

Source: Hu et al., LoRA, 2021 (arXiv:2106.09685).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class LowRank(nn.Module):
    """``W x + (α / r) B A x`` with W frozen; B starts at zero, so that nothing changes at first."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.empty(rank, base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))
        self.factor = alpha / rank
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        """``[…, out]`` of ``[…, in]``."""
        return self.base(x) + self.factor * ((x @ self.down.T) @ self.up.T)

    def merged(self) -> nn.Linear:
        """The one linear layer that computes the same."""
        with torch.no_grad():
            self.base.weight += self.factor * (self.up @ self.down)
        return self.base


def add_low_rank(module: nn.Module, rank: int, alpha: float | None = None) -> int:
    """Put a :class:`LowRank` in the place of every linear layer inside ``module``, in place.

    Args:
        module: The blocks of an encoder.
        rank: r.
        alpha: Scale of the update; 2 r by default.

    Returns:
        How many layers were wrapped.
    """
    found = [(parent, name, child) for parent in module.modules() if not isinstance(parent, LowRank) for name, child in parent.named_children() if isinstance(child, nn.Linear)]
    for parent, name, child in found:
        setattr(parent, name, LowRank(child, rank, 2.0 * rank if alpha is None else alpha))
    return len(found)


def merge_low_rank(module: nn.Module) -> int:
    """Take every :class:`LowRank` out again, its update added to the weights. Returns how many there were."""
    found = [(parent, name, child) for parent in module.modules() for name, child in parent.named_children() if isinstance(child, LowRank)]
    for parent, name, child in found:
        setattr(parent, name, child.merged())
    return len(found)
