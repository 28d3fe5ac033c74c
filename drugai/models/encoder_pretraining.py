"""What an encoder of SMILES is taught without labels: hidden tokens, and from another spelling the molecule's fingerprint and descriptors.

Hidden tokens teach the grammar; that different spellings of a molecule have one fingerprint and one set of descriptors teaches the molecule, which in a short training is most of
what later serves (experiments/18_language_model).

Source: Devlin et al., BERT, 2019 (arXiv:1810.04805) for hidden tokens; Fabian et al., MolBERT, 2020 (arXiv:2011.13230) for descriptors beside them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from drugai.featurizers.tokens import SPECIALS
from drugai.models.smiles_encoder import SmilesEncoder
from drugai.molecules import MoleculeBatch, descriptors, fingerprint

BITS = 1024
DESCRIPTORS = (
    "MolWt", "HeavyAtomCount", "Chi0v", "Chi1v", "Chi2v", "Chi3v", "Chi1n", "HallKierAlpha", "Kappa1", "Kappa2", "Kappa3", "LabuteASA", "TPSA", "FractionCSP3", "NHOHCount", "NOCount",
    "NumHAcceptors", "NumHDonors", "NumHeteroatoms", "NumAmideBonds", "NumRotatableBonds", "NumAromaticCarbocycles", "NumAromaticHeterocycles", "NumAliphaticCarbocycles",
    "NumAliphaticHeterocycles", "NumSpiroAtoms", "NumBridgeheadAtoms", "NumAtomStereoCenters", "RingCount", "MolLogP", "MolMR",
)  # fmt: skip
"""Descriptors of one C++ call each, 0.2 ms a molecule in all."""
IGNORED = -100


@dataclass(frozen=True, eq=False)
class Lesson:
    """One batch.

    Attributes:
        tokens: ``[B, T]`` with some tokens hidden.
        truth: ``[B, T]`` the hidden tokens, -100 elsewhere.
        bits: ``[B, 1024]`` Morgan fingerprint of radius 2, or None.
        descriptors: ``[B, k]`` standardized descriptors, NaN where one is not defined, or None.
    """

    tokens: Tensor
    truth: Tensor
    bits: Tensor | None
    descriptors: Tensor | None


class PretrainingNetwork(nn.Module):
    """An encoder with the three heads that are thrown away afterwards."""

    def __init__(self, encoder: SmilesEncoder, tokens: int) -> None:
        super().__init__()
        d = encoder.width
        self.encoder = encoder
        self.mix = nn.Sequential(nn.Linear(d, d), nn.GELU(), nn.LayerNorm(d))
        self.bias = nn.Parameter(torch.zeros(tokens))
        self.bits = nn.Linear(d, BITS)
        nn.init.constant_(self.bits.bias, -3.0)  # one bit in twenty is set
        self.values = nn.Linear(d, len(DESCRIPTORS))

    def losses(self, lesson: Lesson) -> dict[str, Tensor]:
        """``masked`` and ``bits`` (cross-entropies [nat]), ``descriptors`` (mean squared error of standardized values), and ``accuracy`` of the hidden tokens."""
        states = self.encoder.states(lesson.tokens)  # [B, T, d]
        hidden = lesson.truth != IGNORED
        # tied: a token is recognized by its embedding
        logits = self.mix(states[hidden]) @ self.encoder.trunk.get_input_embeddings().weight.T + self.bias
        truth = lesson.truth[hidden]
        found = {"masked": functional.cross_entropy(logits.float(), truth), "accuracy": (logits.detach().argmax(1) == truth).float().mean()}
        pooled = self.encoder.pool(states, lesson.tokens)
        if lesson.bits is not None:
            found["bits"] = functional.binary_cross_entropy_with_logits(self.bits(pooled).float(), lesson.bits)
        if lesson.descriptors is not None:
            known = ~torch.isnan(lesson.descriptors)
            found["descriptors"] = ((self.values(pooled).float() - torch.nan_to_num(lesson.descriptors)) ** 2)[known].mean()
        return found


def hide(tokens: np.ndarray, share: float, mask: int, pad: int, size: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Hide a share of the tokens of ``[B, T]``: of ten that are chosen eight become the mask, one a random token, one stays. Returns the new tokens and the truth."""
    chosen = (random.random(tokens.shape) < share) & (tokens != pad)
    chosen[np.arange(len(tokens)), random.integers(0, np.maximum((tokens != pad).sum(1), 1))] = True  # at least one a molecule
    truth = np.where(chosen, tokens, IGNORED)
    fate = random.random(tokens.shape)
    hidden = np.where(chosen & (fate < 0.8), mask, tokens)
    return np.where(chosen & (fate >= 0.9), random.integers(len(SPECIALS), size, tokens.shape), hidden), truth


def fingerprint_bits(batch: MoleculeBatch) -> np.ndarray:
    """``[n, 1024]`` float32."""
    return fingerprint(batch, "morgan", bits=BITS, radius=2).astype(np.float32)


def raw_descriptors(batch: MoleculeBatch) -> np.ndarray:
    """``[n, k]`` float32 of :data:`DESCRIPTORS`."""
    return descriptors(batch, DESCRIPTORS)
