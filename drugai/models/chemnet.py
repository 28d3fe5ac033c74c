"""ChemNet activations: 512 numbers a molecule, whose mean and covariance make the Fréchet ChemNet distance.

The network reads a SMILES padded to 350 characters. Padding is zeros and the convolutions have no bias, so that what the first LSTM (which reads backwards) knows after
the padding is the same for all molecules and is computed once; only the part with characters is computed for each. The second LSTM then walks through padding with an
input that is shared as well. The result is that of the package ``fcd``; float32 throughout (bfloat16 would move the distance by 0.03).

Source: Preuer et al. 2018, 10.1021/acs.jcim.8b00234. Weights: package ``fcd`` (LGPL-3), read with ``weights_only=True``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from importlib import resources

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from drugai.errors import ConfigError

LENGTH = 350
WIDTH = 512
_FILE = "ChemNet_v0.13_pretrained.pt"
_TOKENS = [
    "C",
    "N",
    "O",
    "H",
    "F",
    "Cl",
    "P",
    "B",
    "Br",
    "S",
    "I",
    "Si",
    "#",
    "(",
    ")",
    "+",
    "-",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "=",
    "[",
    "]",
    "@",
    "c",
    "n",
    "o",
    "s",
    "X",
    ".",
]
_UNKNOWN = _TOKENS.index("X")
_LONG = {"Cl": "\x01", "Br": "\x02", "Si": "\x03"}
_LONG_TOKEN = re.compile("Cl|Br|Si")


class ChemNet(nn.Module):
    """Two strided convolutions and two LSTMs, with the weights of ``fcd``."""

    def __init__(self) -> None:
        super().__init__()
        layers = _weights()
        kinds = [kind for kind, _ in layers]
        if kinds != ["Conv1d", "Conv1d", "LSTM", "LSTM"]:
            raise ConfigError(f"the ChemNet file of the package fcd has layers {kinds}, expected two convolutions and two LSTMs; install fcd 1.2")
        self.convolutions = nn.ParameterList(nn.Parameter(state["weight"], requires_grad=False) for _, state in layers[:2])
        self.back = nn.LSTM(32, 128, batch_first=True)
        self.forth = nn.LSTM(128, WIDTH, batch_first=True)
        for layer, (_, state) in zip((self.back, self.forth), layers[2:], strict=True):
            layer.load_state_dict(state)
        self.eval()

    @torch.inference_mode()
    def activations(self, smiles: Sequence[str], batch: int = 512) -> np.ndarray:
        """``[n, 512]`` float32 activations of n canonical SMILES.

        A SMILES of more than 349 characters is padded to its own length alone (``fcd`` would then pad all molecules of the call to it).
        """
        lengths = np.array([len(smi) + 1 for smi in smiles])
        order = np.argsort(lengths, kind="stable")
        out = np.zeros((len(smiles), WIDTH), dtype=np.float32)
        short = order[lengths[order] <= LENGTH]
        groups = [short[begin : begin + batch] for begin in range(0, len(short), batch)]
        groups.extend(order[at : at + 1] for at in range(len(short), len(order)))  # the overlong ones, each on its own
        for rows in groups:
            tokens = _tokens([smiles[row] for row in rows])
            out[rows] = self._activate(tokens, max(LENGTH, int(lengths[rows].max()))).numpy()
        return out

    def _activate(self, tokens: Tensor, length: int) -> Tensor:
        """Tokens ``[B, T]`` (−1 after the end) → ``[B, 512]`` as if padded to ``length`` characters."""
        steps = (length + 3) // 4  # each of the two convolutions halves, rounding up: 350 → 175 → 88
        read = min(steps, tokens.shape[1] // 4 + 2)  # the first positions, which see a character; all others are exact zeros
        one_hot = functional.one_hot(tokens + 1, len(_TOKENS) + 1)[..., 1:].float() / len(_TOKENS)  # [B, T, 35]
        x = functional.pad(one_hot.transpose(1, 2), (0, max(0, 4 * read + 8 - tokens.shape[1])))  # [B, 35, T]
        size = length
        for weight in self.convolutions:
            halved = -(-size // 2)
            left = max(0, (halved - 1) * 2 + weight.shape[2] - size) // 2  # "same" padding as Keras has it
            x = functional.selu(functional.conv1d(functional.pad(x, (left, 3)), weight, stride=2))[..., :halved]
            size = halved
        x = x[..., :read].transpose(1, 2)  # [B, read, 32]
        padding, states = self._padding(steps - read)
        state = tuple(part.expand(1, len(x), -1).contiguous() for part in states)
        seen = self.back(x.flip(1), state)[0].flip(1)  # [B, read, 128]
        _, (h, c) = self.forth(seen)
        return self._walk(h[0], c[0], padding)

    def _padding(self, steps: int) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """What the backward LSTM says at each padding position, in reading order ``[steps, 128]``, and its state after them."""
        zeros = torch.zeros(1, 1, 128)
        if steps == 0:
            return torch.zeros(0, 128), (zeros, zeros)
        output, state = self.back(torch.zeros(1, steps, 32))
        return output[0].flip(0), state

    def _walk(self, h: Tensor, c: Tensor, padding: Tensor) -> Tensor:
        """The forward LSTM over the padding, whose input is one vector a step for all molecules."""
        weight_input, weight_hidden, bias_input, bias_hidden = self.forth.all_weights[0]
        weight = weight_hidden.t()
        inputs = padding @ weight_input.t() + bias_input + bias_hidden  # [steps, 4 · 512]
        for given in inputs:
            gates = torch.addmm(given, h, weight)  # [B, 4 · 512]
            opened = gates[:, : 2 * WIDTH].sigmoid_()
            c = opened[:, WIDTH:] * c + opened[:, :WIDTH] * gates[:, 2 * WIDTH : 3 * WIDTH].tanh_()
            h = gates[:, 3 * WIDTH :].sigmoid_() * torch.tanh(c)
        return h


@functools.lru_cache(maxsize=1)
def chemnet() -> ChemNet:
    """The network, read once a process."""
    return ChemNet()


def _weights() -> list[tuple[str, dict[str, Tensor]]]:
    try:
        file = resources.files("fcd") / _FILE
    except ModuleNotFoundError:
        raise ConfigError("the Fréchet ChemNet distance needs the weights in the package fcd; install it with pip install 'drugai[generation]'") from None
    with resources.as_file(file) as path:
        layers = torch.load(path, weights_only=True)
    return [(kind, state) for kind, (state, _, _) in layers]


def _tokens(smiles: Sequence[str]) -> Tensor:
    """Tokens ``[B, T]`` of the SMILES and their end sign, −1 after it."""
    table = np.full(256, _UNKNOWN, dtype=np.int64)
    for index, token in enumerate(_TOKENS):
        table[ord(_LONG.get(token, token))] = index
    coded = [_LONG_TOKEN.sub(lambda match: _LONG[match.group()], smi) + "." for smi in smiles]
    block = np.full((len(coded), max(map(len, coded))), -1, dtype=np.int64)
    for row, text in enumerate(coded):
        block[row, : len(text)] = table[np.frombuffer(text.encode("latin-1", "replace"), dtype=np.uint8)]
    return torch.from_numpy(block)
