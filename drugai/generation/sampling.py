"""Writing molecules token by token: many at once, finished rows leave the batch.

The randomness of molecule i is a stream of its own, a function of (seed, i): which molecules are written together, and in batches of what size, does not
change what the random numbers are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from drugai.errors import ConfigError
from drugai.featurizers.tokens import BOS, EOS, PAD, UNK
from drugai.models.language import LanguageModel
from drugai.runtime import generator

BATCH = 1000
_LONGEST = 256
_BLOCK = 256  # molecules that share one random stream, so that batches of any multiple see the same numbers


@torch.inference_mode()
def sample_tokens(
    model: LanguageModel,
    n: int,
    *,
    seed: int = 0,
    temperature: float = 1.0,
    top_p: float = 1.0,
    longest: int | None = None,
    prefix: Sequence[int] = (),
    prefixes: Sequence[Sequence[int]] | None = None,
    first: int = 0,
    batch: int = BATCH,
    allowed: Callable[[Tensor], Tensor] | None = None,
) -> list[np.ndarray]:
    """Token ids of ``n`` molecules, without ``<bos>`` and ``<eos>``; one that did not end within ``longest`` tokens is cut there.

    Args:
        model: In evaluation mode; its weights' precision is the precision of the run.
        n: How many.
        seed: Same seed, same machine, same model → same molecules.
        temperature: Divides the logits; below 1 is more conventional, above 1 more varied.
        top_p: Only the most probable tokens that together reach this probability are drawn from.
        longest: Most tokens of a molecule (default 256, or the model's context).
        prefix: Token ids that every molecule begins with.
        prefixes: Token ids that each of the ``n`` molecules begins with, in place of ``prefix``.
        first: Number of the first molecule in its stream, for drawing further ones of the same seed.
        batch: Molecules written at once.
        allowed: Logits ``[B, vocabulary]`` → logits, to forbid tokens.
    """
    if n < 0 or temperature <= 0 or not 0 < top_p <= 1:
        raise ConfigError(f"sampling needs n >= 0, temperature > 0 and top_p in (0, 1]; got n={n}, temperature={temperature}, top_p={top_p}")
    begun = [list(prefix)] * n if prefixes is None else [list(one) for one in prefixes]
    if len(begun) != n:
        raise ConfigError(f"{len(begun)} prefixes for {n} molecules; give one a molecule")
    cap = min(longest or _LONGEST, model.longest - 1 if model.longest else longest or _LONGEST)
    written: list[np.ndarray] = []
    for begin in range(first, first + n, batch):
        rows = min(batch, first + n - begin)
        written.extend(_sample_batch(model, begin, seed, temperature, top_p, cap, begun[begin - first : begin - first + rows], allowed))
    return written


def _sample_batch(
    model: LanguageModel,
    begin: int,
    seed: int,
    temperature: float,
    top_p: float,
    cap: int,
    prefixes: Sequence[Sequence[int]],
    allowed: Callable[[Tensor], Tensor] | None,
) -> list[np.ndarray]:
    device, rows = model.head.weight.device, len(prefixes)
    uniforms = torch.from_numpy(_uniforms(seed, begin, rows, cap))  # [rows, cap]
    fixed = torch.full((rows, min(cap, max(map(len, prefixes), default=0))), PAD, dtype=torch.long)
    for row, prefix in enumerate(prefixes):
        fixed[row, : len(prefix)] = torch.as_tensor(prefix[:cap], dtype=torch.long)
    out = torch.full((rows, cap), PAD, dtype=torch.long)
    alive = torch.arange(rows)
    state = model.start(rows)
    tokens = torch.full((rows,), BOS, dtype=torch.long, device=device)
    logits, state = model.step(tokens, state)
    for place in range(cap):
        scores = logits.float().cpu() / temperature
        scores[:, [PAD, BOS, UNK]] = -torch.inf
        if allowed is not None:
            scores = allowed(scores)
        drawn = _draw(scores, uniforms[alive, place], top_p)
        if place < fixed.shape[1]:
            given = fixed[alive, place]
            drawn = torch.where(given == PAD, drawn, given)
        going = drawn != EOS
        if not bool(going.all()):
            keep = going.nonzero()[:, 0]
            alive, drawn = alive[keep], drawn[keep]
            if not len(alive):
                break
            state = model.select(state, keep.to(device))
        out[alive, place] = drawn
        logits, state = model.step(drawn.to(device), state)
    block = out.numpy()
    ends = (block != PAD).sum(1)
    return [block[row, : ends[row]] for row in range(rows)]


def _draw(scores: Tensor, uniforms: Tensor, top_p: float) -> Tensor:
    """One token a row by inverting the cumulated probabilities at the row's uniform number."""
    chances = torch.softmax(scores, dim=-1)
    if top_p < 1:
        ranked, order = chances.sort(dim=-1, descending=True)
        before = ranked.cumsum(-1) - ranked
        chances = chances.scatter(-1, order, ranked.masked_fill(before >= top_p, 0.0))
    cumulated = chances.cumsum(-1)
    # scaled by the last sum, which rounding leaves a little beside 1, and kept below it
    return torch.searchsorted(cumulated, (uniforms * cumulated[:, -1] * (1 - 1e-6))[:, None], right=True)[:, 0].clamp_(max=scores.shape[1] - 1)


def _uniforms(seed: int, begin: int, rows: int, cap: int) -> np.ndarray:
    """``[rows, cap]`` float32 in [0, 1) of the molecules ``begin`` to ``begin + rows``, drawn by blocks of fixed size."""
    first, last = begin // _BLOCK, (begin + rows - 1) // _BLOCK
    blocks = [generator(seed, "sample", block).random((_BLOCK, cap), dtype=np.float32) for block in range(first, last + 1)]
    return np.concatenate(blocks)[begin - first * _BLOCK :][:rows]
