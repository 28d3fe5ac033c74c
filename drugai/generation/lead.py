"""Lead optimisation: start from one molecule, keep a part of it, stay near it, and raise a score; the matched pairs say what each step exchanged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem, rdBase

from drugai.config import Config
from drugai.contracts import Generator, Scorer
from drugai.errors import ConfigError
from drugai.generation.attachment import read_scaffold
from drugai.generation.course import columns_of
from drugai.generation.matched_pairs import Exchange, matched_pairs
from drugai.generation.optimization import Optimization, optimize
from drugai.generation.oracle import Scored
from drugai.molecules import MoleculeBatch, fingerprint, tanimoto, write_table

PAIRS = "pairs.csv"


class LeadConstraint:
    """Which molecules still belong to a lead.

    Args:
        lead: SMILES.
        keep: Substructures that must stay, SMARTS or SMILES; one with attachment points (``c1ccc([*:1])cc1``) may change at its points alone.
        min_similarity: Least Tanimoto similarity (Morgan, radius 2, 2,048 bits) to the lead.

    Raises:
        ConfigError: The lead or a substructure cannot be read, or the lead does not hold it.
    """

    def __init__(self, lead: str, keep: Sequence[str] = (), min_similarity: float = 0.4) -> None:
        batch = MoleculeBatch([lead])
        if batch.reasons[0]:
            raise ConfigError(f"the molecule to start from, {lead!r}, cannot be read ({batch.reasons[0]})")
        if not 0 <= min_similarity <= 1:
            raise ConfigError(f"a similarity lies in [0, 1], got {min_similarity}")
        self.lead, self.min_similarity = batch.canonical[0], min_similarity
        self.words = " and ".join([f"Tanimoto similarity of at least {min_similarity:g} to {self.lead}", *(f"{text} kept" for text in keep)])
        self._bits = fingerprint(batch)
        self._parts = [_part(text) for text in keep]
        for text, part in zip(keep, self._parts, strict=True):
            if not part(batch)[0]:
                raise ConfigError(f"the molecule to start from, {lead!r}, does not hold {text!r} itself; give a part of it")

    def __call__(self, batch: MoleculeBatch) -> np.ndarray:
        """``[n]`` bool; False for an unreadable molecule."""
        kept = batch.valid & (tanimoto(fingerprint(batch), self._bits)[:, 0] >= self.min_similarity)
        for part in self._parts:
            kept &= part(batch)
        return np.asarray(kept)


@dataclass(frozen=True, eq=False)
class LeadRun:
    """What became of a lead.

    Attributes:
        run: The optimisation; its first molecule is the lead.
        lead: The lead as it was scored.
        pairs: Scored molecules that differ from the lead at one place, with what was exchanged, best total first.
    """

    run: Optimization
    lead: Scored
    pairs: tuple[tuple[Scored, Exchange], ...]

    def table(self) -> dict[str, list[Any]]:
        """Columns: the molecule and its scores, the change of total and of each term's raw value against the lead, the exchange, the part that stayed, the similarity."""
        found = columns_of([one for one, _ in self.pairs])
        bits = fingerprint([one.smiles for one, _ in self.pairs]) if self.pairs else np.zeros((0, 2048))
        table: dict[str, list[Any]] = {"exchange": [str(exchange) for _, exchange in self.pairs], "change of total": [one.total - self.lead.total for one, _ in self.pairs]}
        for name, value in self.lead.raw.items():
            table[f"change of {name}"] = [one.raw.get(name, float("nan")) - value for one, _ in self.pairs]
        similarity = tanimoto(bits, fingerprint([self.lead.smiles]))[:, 0].tolist() if self.pairs else []
        return {**table, "similarity": similarity, **found, "constant": [exchange.constant for _, exchange in self.pairs]}


def optimize_lead(
    start: str,
    scorer: Scorer | Callable[[list[str]], Any],
    *,
    keep: Sequence[str] = (),
    min_similarity: float = 0.4,
    budget: int = 1000,
    seed: int = 0,
    method: str = "genetic",
    generator: Generator | None = None,
    out: str | Path | None = None,
    config: Config | None = None,
    every: int = 500,
) -> LeadRun:
    """Improve one molecule within limits.

    Args:
        start: The lead, SMILES.
        scorer: What shall rise.
        keep, min_similarity: As of :class:`LeadConstraint`. Molecules outside are never scored and cost nothing.
        budget, seed, method, generator, out, config, every: As of :func:`optimize`; ``out`` has ``pairs.csv`` besides.

    Raises:
        ConfigError: The lead cannot be read or does not hold what shall be kept.
    """
    constraint = LeadConstraint(start, keep, min_similarity)
    run = optimize(generator, scorer, budget=budget, seed=seed, method=method, start=[constraint.lead], out=out, config=config, every=every, keep=constraint)
    lead, *others = run.scored
    good = sorted((one for one in others if not one.reason), key=lambda one: -one.total)
    exchanges = matched_pairs(lead.smiles, [one.smiles for one in good])
    found = LeadRun(run, lead, tuple((one, exchange) for one, exchange in zip(good, exchanges, strict=True) if exchange is not None))
    if out is not None:
        write_table(Path(out) / PAIRS, found.table())
    return found


def _part(text: str) -> Callable[[MoleculeBatch], np.ndarray]:
    if "*" in text:
        return read_scaffold(text).kept_by
    with rdBase.BlockLogs():
        pattern = Chem.MolFromSmarts(text) if 0 < len(text) <= 1000 else None
    if pattern is None:
        raise ConfigError(f"the part to keep, {text[:80]!r}, is no SMARTS (or longer than 1,000 characters); an example is 'c1ncnc2ccccc12'")

    def kept(batch: MoleculeBatch) -> np.ndarray:
        return np.array([mol is not None and bool(mol.HasSubstructMatch(pattern)) for mol in batch.full_mols], dtype=bool)

    return kept
