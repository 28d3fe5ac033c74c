"""Adversarial training on the embeddings: each step also learns from the disturbance that would hurt it most.

The fast gradient method moves the embedding tables by ``epsilon`` along the gradient of the loss (each table by its own norm) and adds the gradient of the disturbed loss to
the step. A step then costs two passes.

Source: Miyato, Dai and Goodfellow, ICLR 2017 (arXiv:1605.07725).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from drugai.errors import ConfigError


class EmbeddingAttack:
    """Opened between a step's gradient and its update, it disturbs every embedding table of a module; closing restores them to the bit.

    Args:
        module: A network with ``nn.Embedding`` tables.
        epsilon: L2 norm of the disturbance of each table.

    Raises:
        ConfigError: The module has no trainable embedding, or epsilon is not positive.
    """

    def __init__(self, module: nn.Module, epsilon: float = 1.0) -> None:
        self.tables = [part.weight for part in module.modules() if isinstance(part, nn.Embedding) and part.weight.requires_grad]
        if not self.tables:
            raise ConfigError("adversarial training disturbs embeddings, and this network has none that is trained; set adversarial=0")
        if not epsilon > 0:
            raise ConfigError(f"adversarial={epsilon}: the norm of the disturbance must be positive (0 in a Config turns it off)")
        self.epsilon = epsilon

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Disturb, and restore on leaving. A table without a gradient, or with one of zero, stays as it is."""
        kept = []
        for table in self.tables:
            norm = torch.linalg.vector_norm(table.grad) if table.grad is not None else torch.zeros(())
            if float(norm) > 0 and torch.isfinite(norm):
                assert table.grad is not None
                kept.append((table, table.detach().clone()))
                table.data.add_(table.grad, alpha=self.epsilon / float(norm))
        try:
            yield
        finally:
            for table, value in kept:
                table.data.copy_(value)
