"""Encoders of SMILES: a transformer that reads a molecule's tokens both ways, ``[B, T]`` tokens → ``[B, d]``.

Ours is transformers' ModernBERT at a small size (rotary positions, gated layers, norms before); any other encoder of the transformers library stands in its place
when its folder is loaded.

Source: Warner et al., ModernBERT, 2024 (arXiv:2412.13663); Chithrananda et al., ChemBERTa, 2020 (arXiv:2010.09885).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from drugai.config import Config, setting, tunable
from drugai.errors import ConfigError
from drugai.featurizers.tokens import BOS, EOS, PAD


@dataclass(frozen=True)
class EncoderConfig(Config):
    """Shape of an encoder of SMILES."""

    layers: int = tunable(4, 2, 12, help="layers on top of each other")
    width: int = tunable(192, 64, 512, step=64, help="width d of a token's state")
    heads: int = setting(0, help="attention heads; width / heads must be even (0: one for each 32 of the width)")
    inner: int = tunable(384, 128, 2048, step=128, help="width inside the gated layers")
    dropout: float = tunable(0.0, 0.0, 0.3, help="dropout of attention and gated layers")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers < 1 or self.heads < 0 or self.width % (2 * (self.heads or 16)):
            raise ConfigError(f"EncoderConfig: layers must be at least 1 and width a multiple of 2 × heads, or of 32 without heads; got {self.to_dict()}")


class SmilesEncoder(nn.Module):
    """A transformer of the transformers library and a mean over its tokens.

    Args:
        trunk: Gives ``last_hidden_state`` ``[B, T, d]`` for ``input_ids`` and ``attention_mask``.
        pad: Id of the token that fills short rows.
    """

    trunk: Any

    def __init__(self, trunk: nn.Module, pad: int) -> None:
        super().__init__()
        self.trunk, self.pad = trunk, pad

    @property
    def width(self) -> int:
        """d."""
        return int(self.trunk.config.hidden_size)

    def states(self, tokens: Tensor) -> Tensor:
        """``[B, T, d]`` of tokens ``[B, T]``."""
        return self.trunk(input_ids=tokens, attention_mask=(tokens != self.pad).long()).last_hidden_state

    def forward(self, tokens: Tensor) -> Tensor:
        """``[B, d]``: the mean over the molecule's tokens."""
        return self.pool(self.states(tokens), tokens)

    def pool(self, states: Tensor, tokens: Tensor) -> Tensor:
        """``[B, d]`` mean of ``[B, T, d]`` over tokens that are none of padding."""
        seen = (tokens != self.pad).unsqueeze(-1).to(states.dtype)  # [B, T, 1]
        return (states * seen).sum(1) / seen.sum(1).clamp_min(1.0)

    def resize(self, size: int) -> None:
        """Room for more tokens; the old ones keep their embedding, new ones start from the mean of the old."""
        old = self.trunk.get_input_embeddings()
        if size < old.num_embeddings:
            raise ConfigError(f"a vocabulary only grows: {old.num_embeddings} tokens cannot become {size}")
        new = nn.Embedding(size, old.embedding_dim, padding_idx=old.padding_idx)
        with torch.no_grad():
            new.weight.copy_(old.weight.mean(0, keepdim=True).expand(size, -1))
            new.weight[: old.num_embeddings] = old.weight
        self.trunk.set_input_embeddings(new)
        self.trunk.config.vocab_size = size

    def blocks(self) -> tuple[str, nn.ModuleList]:
        """Name and list of the layers, from the tokens upwards."""
        lists = [(name, module) for name, module in self.trunk.named_modules() if isinstance(module, nn.ModuleList)]
        if not lists:
            raise ConfigError(f"{type(self.trunk).__name__} has no list of layers, so that none can be frozen or thawed")
        return max(lists, key=lambda item: len(item[1]))

    def depth_of(self, name: str) -> int:
        """How high a parameter of this module lies: 0 embeddings, 1 to L the layers, L + 1 what comes after."""
        place, layers = self.blocks()
        head = f"trunk.{place}."
        if name.startswith(head):
            return int(name[len(head) :].partition(".")[0]) + 1
        return 0 if "embed" in name else len(layers) + 1


def build_encoder(config: EncoderConfig, tokens: int) -> SmilesEncoder:
    """Our encoder with random weights, for a vocabulary of ``tokens``."""
    from transformers import ModernBertConfig, ModernBertModel

    # molecules are short: every layer sees all tokens, and positions turn faster than for a text of thousands of words
    shape = ModernBertConfig(
        vocab_size=tokens, hidden_size=config.width, intermediate_size=config.inner, num_hidden_layers=config.layers, num_attention_heads=config.heads or config.width // 32,
        layer_types=["full_attention"] * config.layers, rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": 1000.0}},
        attention_dropout=config.dropout, mlp_dropout=config.dropout, embedding_dropout=0.0, max_position_embeddings=2048,
        pad_token_id=PAD, bos_token_id=BOS, cls_token_id=BOS, eos_token_id=EOS, sep_token_id=EOS,
    )  # fmt: skip
    return SmilesEncoder(ModernBertModel(shape), PAD)


def build_foreign(settings: Mapping[str, Any], pad: int) -> SmilesEncoder:
    """An encoder of the transformers library with random weights, from what its ``config.json`` holds; no code of its folder is run."""
    from transformers import AutoConfig, AutoModel

    values = dict(settings)
    shape = AutoConfig.for_model(values.pop("model_type"), **values)
    return SmilesEncoder(without_pooler(AutoModel.from_config(shape, trust_remote_code=False)), pad)


def without_pooler(trunk: Any) -> nn.Module:
    """BERT's pooler is a layer for whole texts that is not used here (and is random in most published models of molecules)."""
    if getattr(trunk, "pooler", None) is not None:
        trunk.pooler = None
    module: nn.Module = trunk
    return module


class PropertyHead(nn.Module):
    """``[B, d]`` → ``[B, o]``: scaled, one hidden layer.

    Args:
        width: d.
        hidden: Width of the hidden layer; 0: linear.
        outputs: o.
        dropout: Before each layer.
    """

    center: Tensor
    scale: Tensor

    def __init__(self, width: int, hidden: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, outputs)) if hidden else nn.Linear(width, outputs)

    def forward(self, states: Tensor) -> Tensor:
        """``[B, o]``."""
        return self.layers((states - self.center) / self.scale)


class PropertyNetwork(nn.Module):
    """An encoder and a head: tokens ``[B, T]`` → ``[B, o]``."""

    def __init__(self, encoder: SmilesEncoder, head: PropertyHead) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, tokens: Tensor) -> Tensor:
        """``[B, o]``."""
        return self.head(self.encoder(tokens))
