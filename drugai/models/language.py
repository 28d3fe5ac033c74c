"""Chemical language models: what is the next token? Recurrent (LSTM, GRU) and transformer decoders behind one Config.

All take tokens ``[B, T]`` and give logits ``[B, T, vocabulary]``. For sampling, :meth:`LanguageModel.step` takes one token a molecule and a state, and
:meth:`LanguageModel.select` keeps the rows of a state that are still being written.

Per token and per CPU-second a recurrent model learns drug-like SMILES far faster than a small transformer (0.7 million tokens: validity 0.18 against 0.05),
so the LSTM is the default.

Source: Segler et al., ACS Cent. Sci. 2018, doi:10.1021/acscentsci.7b00512 (recurrent); Bagal et al., MolGPT, doi:10.1021/acs.jcim.1c00600 (transformer).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from drugai.config import Config, tunable
from drugai.errors import ConfigError

State = tuple[Tensor, ...]


@dataclass(frozen=True)
class LanguageConfig(Config):
    """Shape of a chemical language model."""

    cell: str = tunable("lstm", choices=("lstm", "gru", "transformer"), help="kind of decoder")
    layers: int = tunable(2, 1, 6, help="layers on top of each other")
    width: int = tunable(384, 64, 1024, step=64, help="hidden width d")
    embedding: int = tunable(128, 32, 512, step=32, help="width of a token's embedding (recurrent models)")
    heads: int = tunable(4, 1, 16, help="attention heads (transformer)")
    context: int = tunable(256, 64, 512, help="longest molecule in tokens that a transformer can place")
    dropout: float = tunable(0.0, 0.0, 0.5, help="dropout between layers")


class LanguageModel(nn.Module, ABC):
    """Base of the decoders. ``vocabulary`` is the number of tokens, special ones included."""

    vocabulary: int
    width: int

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits ``[B, T, vocabulary]`` of the token after each of ``tokens`` ``[B, T]``."""
        return self.head(self.hidden(tokens))

    @abstractmethod
    def hidden(self, tokens: Tensor) -> Tensor:
        """``[B, T, d]`` what the model knows after each token."""

    @abstractmethod
    def start(self, rows: int) -> State:
        """The state of ``rows`` molecules of which nothing is written."""

    @abstractmethod
    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """One token ``[B]`` a molecule and the state → logits ``[B, vocabulary]`` and the next state."""

    @abstractmethod
    def select(self, state: State, rows: Tensor) -> State:
        """The state of the molecules ``rows`` alone."""

    @property
    def longest(self) -> int | None:
        """Most tokens a molecule may have, or None where the model sets no bound."""
        return None

    def resize(self, vocabulary: int) -> None:
        """Room for more tokens; the ids that exist keep their weights, new ones start from the mean of the old."""
        if vocabulary < self.vocabulary:
            raise ConfigError(f"a vocabulary only grows: {self.vocabulary} tokens cannot become {vocabulary}")
        extra = vocabulary - self.vocabulary
        with torch.no_grad():
            for layer in (self.embed, self.head):
                weight = layer.weight
                layer.weight = nn.Parameter(torch.cat([weight, weight.mean(0, keepdim=True).expand(extra, -1)]))
            # an unseen token starts as unlikely as the least likely old one
            bias = self.head.bias
            self.head.bias = nn.Parameter(torch.cat([bias, bias.min().expand(extra)]))
        self.embed.num_embeddings = self.head.out_features = self.vocabulary = vocabulary

    embed: nn.Embedding
    head: nn.Linear


class RecurrentModel(LanguageModel):
    """Embedding, LSTM or GRU layers, linear head."""

    def __init__(self, config: LanguageConfig, vocabulary: int) -> None:
        super().__init__()
        self.vocabulary, self.width = vocabulary, config.width
        self.embed = nn.Embedding(vocabulary, config.embedding)
        kind = nn.LSTM if config.cell == "lstm" else nn.GRU
        dropout = config.dropout if config.layers > 1 else 0.0
        self.layers = kind(config.embedding, config.width, config.layers, batch_first=True, dropout=dropout)
        self.head = nn.Linear(config.width, vocabulary)
        self.parts = 2 if config.cell == "lstm" else 1
        if config.cell == "lstm":
            with torch.no_grad():  # an open forget gate lets a ring closure be remembered from the start (Jozefowicz et al., 2015)
                for name, bias in self.layers.named_parameters():
                    if name.startswith("bias_ih"):
                        bias[config.width : 2 * config.width] = 1.0

    def hidden(self, tokens: Tensor) -> Tensor:
        output, _ = self.layers(self.embed(tokens))
        return output  # type: ignore[no-any-return]

    def start(self, rows: int) -> State:
        zeros = torch.zeros(self.layers.num_layers, rows, self.width, dtype=self.head.weight.dtype, device=self.head.weight.device)
        return (zeros,) * self.parts

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        packed = state if self.parts == 2 else state[0]
        output, after = self.layers(self.embed(tokens)[:, None], packed)  # [B, 1, d]
        return self.head(output[:, 0]), after if self.parts == 2 else (after,)

    def select(self, state: State, rows: Tensor) -> State:
        return tuple(part.index_select(1, rows) for part in state)


class TransformerModel(LanguageModel):
    """Pre-norm causal transformer with learned positions; sampling keeps keys and values."""

    def __init__(self, config: LanguageConfig, vocabulary: int) -> None:
        super().__init__()
        if config.width % config.heads:
            raise ConfigError(f"width {config.width} is not a multiple of heads {config.heads}")
        self.vocabulary, self.width = vocabulary, config.width
        self.context = config.context
        self.embed = nn.Embedding(vocabulary, config.width)
        self.places = nn.Embedding(config.context, config.width)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.head = nn.Linear(config.width, vocabulary)
        self.dropout = nn.Dropout(config.dropout)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)

    @property
    def longest(self) -> int | None:
        return self.context

    def hidden(self, tokens: Tensor) -> Tensor:
        if tokens.shape[1] > self.context:
            raise ConfigError(f"{tokens.shape[1]} tokens in a molecule, the model's context is {self.context}")
        x = self.dropout(self.embed(tokens) + self.places.weight[: tokens.shape[1]])  # [B, T, d]
        for block in self.blocks:
            x, _ = block(x, None)
        return self.norm(x)  # type: ignore[no-any-return]

    def start(self, rows: int) -> State:
        """Keys and values of each layer, ``[B, 0, d]``."""
        empty = torch.zeros(rows, 0, self.width, dtype=self.head.weight.dtype, device=self.head.weight.device)
        return (empty,) * (2 * len(self.blocks))

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        place = state[0].shape[1]
        x = (self.embed(tokens) + self.places.weight[place])[:, None]  # [B, 1, d]
        after: list[Tensor] = []
        for index, block in enumerate(self.blocks):
            x, kept = block(x, (state[2 * index], state[2 * index + 1]))
            after.extend(kept)
        return self.head(self.norm(x)[:, 0]), tuple(after)

    def select(self, state: State, rows: Tensor) -> State:
        return tuple(part.index_select(0, rows) for part in state)


class _Block(nn.Module):
    """Attention and a feed-forward layer, each after a LayerNorm and added to the stream."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        d = config.width
        self.heads = config.heads
        self.norm_attention, self.norm_forward = nn.LayerNorm(d), nn.LayerNorm(d)
        self.mix, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.forward_layers = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d), nn.Dropout(config.dropout))

    def forward(self, x: Tensor, past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        query, key, value = self.mix(self.norm_attention(x)).chunk(3, dim=-1)  # [B, T, d] each
        if past is not None:
            key, value = torch.cat([past[0], key], dim=1), torch.cat([past[1], value], dim=1)
        # one new token may look at all before it, so that only training needs the causal mask
        seen = functional.scaled_dot_product_attention(self._split(query), self._split(key), self._split(value), is_causal=past is None)
        x = x + self.out(seen.transpose(1, 2).flatten(2))
        return x + self.forward_layers(self.norm_forward(x)), (key, value)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)  # [B, heads, T, d / heads]


def build_language_model(config: LanguageConfig, vocabulary: int) -> LanguageModel:
    """The decoder that ``config`` describes, for ``vocabulary`` tokens."""
    return TransformerModel(config, vocabulary) if config.cell == "transformer" else RecurrentModel(config, vocabulary)
