"""The prior: a chemical language model that writes molecules, judges how likely a molecule is, and is kept as an artifact folder."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from drugai.artifact import read_artifact, write_artifact
from drugai.errors import ConfigError, MoleculeError
from drugai.featurizers.tokens import EOS, PAD, Vocabulary
from drugai.generation.corpus import padded
from drugai.generation.sampling import BATCH, sample_tokens
from drugai.models.language import LanguageConfig, LanguageModel, build_language_model
from drugai.molecules.batch import MoleculeBatch

logger = logging.getLogger(__name__)

KIND = "generator"


@dataclass(eq=False)
class Prior:
    """A trained chemical language model with its vocabulary. Keeps the Generator law: exactly n, the same seed the same list.

    Attributes:
        config: Shape of the network.
        vocabulary: Its tokens.
        model: The network, float32, in evaluation mode.
        record: What the manifest says besides: corpus, training, learning curve.
    """

    config: LanguageConfig
    vocabulary: Vocabulary
    model: LanguageModel
    record: Mapping[str, Any] = field(default_factory=dict)
    _half: LanguageModel | None = field(default=None, init=False, repr=False)

    @classmethod
    def untrained(cls, config: LanguageConfig, vocabulary: Vocabulary, seed: int = 0) -> Prior:
        """A network with random weights that depend on ``seed`` alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = build_language_model(config, len(vocabulary))
        return cls(config, vocabulary, model.eval())

    def sample(
        self, n: int, seed: int = 0, *, temperature: float = 1.0, top_p: float = 1.0, unique: bool = False, prefix: str = "", batch: int = BATCH
    ) -> list[str]:
        """Write exactly ``n`` molecules, in the order in which they were drawn.

        Args:
            n: How many.
            seed: The same seed gives the same list; a longer list begins with the shorter one.
            temperature: Below 1 more conventional, above 1 more varied.
            top_p: Draw only from the most probable tokens that together reach this probability.
            unique: Only readable molecules, each once (by canonical SMILES); else raw samples, unreadable ones and repeats among them.
            prefix: Text that every molecule begins with.
            batch: Molecules written at once.

        Raises:
            ConfigError: A setting is out of range, or 20 draws a molecule did not give ``n`` different ones.
            MoleculeError: The prefix has a token that the vocabulary does not hold.
        """
        start = self.vocabulary.encode(prefix)[:-1].tolist() if prefix else []

        def draw(number: int, first: int) -> list[str]:
            tokens = sample_tokens(self._fast(), number, seed=seed, temperature=temperature, top_p=top_p, prefix=start, first=first, batch=batch)
            return [self.vocabulary.decode(ids) for ids in tokens]

        if not unique:
            return draw(n, 0)
        found: dict[str, str] = {}
        drawn = 0
        while len(found) < n:
            if drawn >= 20 * n + batch:
                raise ConfigError(f"{drawn} draws gave {len(found)} different molecules of the {n} asked for; ask for fewer or raise the temperature")
            written = draw(batch, drawn)
            drawn += batch
            for canonical, smi in zip(MoleculeBatch(written).canonical, written, strict=True):
                if canonical:
                    found.setdefault(canonical, smi)
        return list(found.values())[:n]

    def complete(self, prefixes: Sequence[str], seed: int = 0, *, temperature: float = 1.0, top_p: float = 1.0, first: int = 0, batch: int = BATCH) -> list[str]:
        """Write each of n beginnings of a molecule to its end.

        Args:
            prefixes: n texts, each the beginning of a SMILES.
            seed, temperature, top_p, batch: As of :meth:`sample`.
            first: Number of the first molecule in its stream, for completing further ones with the same seed.

        Raises:
            ConfigError: The prior writes SELFIES, whose beginnings say nothing of the molecule.
            MoleculeError: A prefix has a token that the vocabulary does not hold.
        """
        if self.vocabulary.kind != "smiles":
            raise ConfigError("a molecule can be begun in SMILES alone; this prior writes SELFIES")
        encoded = self.vocabulary.encode_many([*prefixes])
        for prefix, why in zip(prefixes, encoded.reasons, strict=True):
            if prefix and why:
                raise MoleculeError(f"the prior cannot write {prefix!r}: {why.partition(': ')[2]}")
        begun = [encoded.row(row)[:-1].tolist() for row in range(len(prefixes))]
        tokens = sample_tokens(self._fast(), len(begun), seed=seed, temperature=temperature, top_p=top_p, prefixes=begun, first=first, batch=batch)
        return [self.vocabulary.decode(ids) for ids in tokens]

    @torch.inference_mode()
    def log_likelihood(self, smiles: Sequence[str], *, batch: int = 256, ended: bool = True) -> np.ndarray:
        """``[n]`` natural logarithm of the probability of writing each SMILES as it stands; NaN for one that the vocabulary cannot spell.

        With ``ended=False`` the SMILES are beginnings, and the probability is that of the beginning.
        """
        encoded = self.vocabulary.encode_many(smiles)
        values = np.full(len(smiles), np.nan)
        rows = np.flatnonzero(encoded.lengths > 0)
        rows = rows[np.argsort(encoded.lengths[rows], kind="stable")]
        for begin in range(0, len(rows), batch):
            part = rows[begin : begin + batch]
            tokens = torch.from_numpy(padded(encoded.flat, encoded.offsets, part)).to(self.model.head.weight.device)
            losses = token_losses(self.model, tokens)
            if not ended:
                losses = losses.masked_fill(tokens[:, 1:] == EOS, 0.0)
            values[part] = losses.sum(1).neg().double().cpu().numpy()
        return values

    def extend_vocabulary(self, smiles: Sequence[str]) -> list[str]:
        """Make room for tokens of ``smiles`` that are not held yet; they are to be learnt by fine-tuning. Returns the new tokens."""
        extended = self.vocabulary.extended(smiles)
        new = list(extended.tokens[len(self.vocabulary) :])
        if new:
            self.model.resize(len(extended))
            self.vocabulary, self._half = extended, None
        return new

    def save(self, path: str | Path, *, precision: str = "fp32", card: str = "") -> Path:
        """Write the artifact folder; ``precision="bf16"`` halves the weights, and ``card`` is the text of its model card (``README.md``)."""
        if precision not in ("fp32", "bf16"):
            raise ConfigError(f"precision {precision!r}; the choices are fp32, bf16")
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        tensors = {name: value.to(dtype) for name, value in self.model.state_dict().items()}
        record = {**self.record, "vocabulary": self.vocabulary.to_dict(), "parameters": sum(value.numel() for value in tensors.values())}
        return write_artifact(path, KIND, config=self.config.to_dict(), arrays={"model": tensors}, texts={"README.md": card} if card else None, record=record)

    @classmethod
    def load(cls, path: str | Path) -> Prior:
        """Open an artifact folder. Raises ArtifactError where it is damaged or holds something else."""
        artifact = read_artifact(path, KIND)
        config = LanguageConfig.from_dict(artifact.config)
        vocabulary = Vocabulary.from_dict(artifact.manifest["vocabulary"])
        model = build_language_model(config, len(vocabulary))
        model.load_state_dict({name: value.float() for name, value in artifact.tensors("model").items()})
        own = ("format", "kind", "config", "versions", "files", "vocabulary", "parameters")
        return cls(config, vocabulary, model.eval(), {key: value for key, value in artifact.manifest.items() if key not in own})

    def forget_copy(self) -> None:
        """Say that the network's weights have changed, so that the bfloat16 copy for sampling is made anew."""
        self._half = None

    def _fast(self) -> LanguageModel:
        """The network as it samples fastest: bfloat16 for recurrent models on a processor with such instructions (1.8 times float32)."""
        if self.config.cell == "transformer" or not half_is_fast(self.model.head.weight.device):
            return self.model
        if self._half is None:
            half = build_language_model(self.config, len(self.vocabulary))
            half.load_state_dict(self.model.state_dict())
            self._half = half.to(self.model.head.weight.device, torch.bfloat16).eval()
        return self._half


def token_losses(model: LanguageModel, tokens: torch.Tensor) -> torch.Tensor:
    """``[B, T]`` negative log-likelihood of each token of ``[B, 1 + T]`` given those before it; 0 at ``<pad>``."""
    logits = model(tokens[:, :-1]).float()  # [B, T, vocabulary]
    return functional.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], ignore_index=PAD, reduction="none")


def half_is_fast(device: torch.device) -> bool:
    """Whether bfloat16 matrix products are faster than float32 on this device."""
    if device.type == "cpu":
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return device.type == "cuda" and torch.cuda.is_bf16_supported()
