"""From a network's output columns to tasks: losses with missing labels, and values on the tasks' own scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from drugai.contracts import Task


class Heads(nn.Module):
    """Which output columns belong to which task, and how each is trained and read.

    Regression targets are standardized with the training part's mean and standard deviation, which are kept as buffers.

    Args:
        tasks: t tasks.
        loss: ``mse``, ``huber`` (δ = 1 standard deviation) or ``mae`` for regression tasks; classes use cross-entropy.
    """

    def __init__(self, tasks: Sequence[Task], loss: str = "mse") -> None:
        super().__init__()
        self.tasks = tuple(tasks)
        self.regression_loss = loss
        widths = [task.n_classes if task.kind == "multiclass" else 1 for task in self.tasks]
        self.starts = [sum(widths[:index]) for index in range(len(widths))]
        self.widths = widths
        self.register_buffer("center", torch.zeros(len(self.tasks)))
        self.register_buffer("scale", torch.ones(len(self.tasks)))
        self.center: torch.Tensor
        self.scale: torch.Tensor

    @property
    def outputs(self) -> int:
        """Columns that the network must give."""
        return sum(self.widths)

    def fit_scale(self, y: np.ndarray) -> None:
        """Take mean and standard deviation of each regression task from the training part ``[n, t]``."""
        for index, task in enumerate(self.tasks):
            values = y[:, index][~np.isnan(y[:, index])].astype(np.float64)
            if task.kind == "regression" and len(values):
                self.center[index] = float(values.mean())
                self.scale[index] = float(values.std()) or 1.0

    def loss(self, outputs: torch.Tensor, y: torch.Tensor, weights: torch.Tensor | None = None, bounds: torch.Tensor | None = None) -> torch.Tensor:
        """Mean over the tasks of the mean loss over their known labels.

        Args:
            outputs: ``[B, o]``.
            y: ``[B, t]``, NaN = missing; missing labels give no gradient.
            weights: ``[B]`` weight of each molecule, or None.
            bounds: ``[B, t, 2]`` lower and upper bounds of values that were not measured, NaN = none, or None. A prediction within its bounds has no loss and no
                gradient, one beyond has that of its distance to the bound (chemprop's bounded loss).
        """
        outputs = outputs.float()
        total = outputs.sum() * 0.0
        counted = 0
        for index, task in enumerate(self.tasks):
            known = ~torch.isnan(y[:, index])
            limits = bounds[:, index] if bounds is not None and task.kind == "regression" else None
            bounded = None if limits is None else ~torch.isnan(limits).all(dim=1) & ~known
            # on the meta device nothing can be counted; elsewhere a task without a label in this batch is left out
            if y.device.type != "meta" and not bool(known.any() if bounded is None else (known | bounded).any()):
                continue
            target = torch.where(known, y[:, index], torch.zeros_like(y[:, index]))
            columns = outputs[:, self.starts[index] : self.starts[index] + self.widths[index]]
            if task.kind == "regression":
                error = columns[:, 0] - (target - self.center[index]) / self.scale[index]
                if limits is not None and bounded is not None:
                    error = torch.where(bounded, _beyond(columns[:, 0], (limits - self.center[index]) / self.scale[index]), error)
                    known = known | bounded
                each = _regression_loss(error, self.regression_loss)
            elif task.kind == "binary":
                each = nn.functional.binary_cross_entropy_with_logits(columns[:, 0], target, reduction="none")
            else:
                each = nn.functional.cross_entropy(columns, target.long(), reduction="none")
            counts = known.float() if weights is None else known.float() * weights
            total = total + (each * counts).sum() / counts.sum().clamp_min(1e-12)
            counted += 1
        return total / max(counted, 1)

    def decode(self, outputs: torch.Tensor) -> torch.Tensor:
        """``[B, o]`` → ``[B, o]`` on the tasks' scale: values in units, probability of class 1, class probabilities."""
        outputs = outputs.float()
        columns = []
        for index, task in enumerate(self.tasks):
            part = outputs[:, self.starts[index] : self.starts[index] + self.widths[index]]
            if task.kind == "regression":
                columns.append(part * self.scale[index] + self.center[index])
            else:
                columns.append(torch.sigmoid(part) if task.kind == "binary" else torch.softmax(part, dim=1))
        return torch.cat(columns, dim=1)


def _beyond(values: torch.Tensor, limits: torch.Tensor) -> torch.Tensor:
    """``[B]`` how far values lie above their upper (positive) or below their lower bound (negative); 0 within ``[B, 2]`` or where there is none."""
    zeros = torch.zeros_like(values)
    below = torch.where(torch.isnan(limits[:, 0]), zeros, values - torch.nan_to_num(limits[:, 0])).clamp_max(0.0)
    above = torch.where(torch.isnan(limits[:, 1]), zeros, values - torch.nan_to_num(limits[:, 1])).clamp_min(0.0)
    return below + above


def _regression_loss(error: torch.Tensor, kind: str) -> torch.Tensor:
    if kind == "huber":
        return nn.functional.huber_loss(error, torch.zeros_like(error), reduction="none")
    return error.abs() if kind == "mae" else error**2
