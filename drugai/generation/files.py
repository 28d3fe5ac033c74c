"""Optimisation with everything from files: what the command line calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drugai.config import Config
from drugai.contracts import Generator
from drugai.errors import ConfigError, unknown
from drugai.generation.genetic import GeneticConfig
from drugai.generation.lead import LeadRun, optimize_lead
from drugai.generation.optimization import METHODS, Optimization, optimize
from drugai.generation.stages import optimize_stages, read_stages
from drugai.molecules import read_library
from drugai.predictors import load_predictor
from drugai.scoring import read_scorer


@dataclass(frozen=True, eq=False)
class FileRun:
    """What :func:`optimize_files` did: the run (of stages the last), all stages, and the lead's run if there was a lead."""

    found: Optimization
    stages: tuple[Optimization, ...] = ()
    lead: LeadRun | None = None


def optimize_files(
    scorer: str | Path | None,
    out: str | Path,
    *,
    budget: int,
    method: str = "genetic",
    prior: str | Path | None = None,
    start: str | Path | None = None,
    smiles: str | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    stages: str | Path | None = None,
    until: float | None = None,
    keep: Sequence[str] = (),
    min_similarity: float | None = None,
) -> FileRun:
    """:func:`optimize` with everything from files: what ``drugai optimize`` calls.

    Args:
        scorer: TOML file of a scorer.
        out: Folder of the run.
        budget, method, seed, until: As of :func:`optimize`.
        prior: Folder or name of a prior; None takes a shipped one where one is needed: ``prior_wide`` with ``start``, else ``prior_moses``.
        start: File of molecules to start from, or one molecule as SMILES.
        smiles: SMILES column of ``start``.
        settings: Changes of the method's Config, by dotted names.
        stages: TOML file of stages, in place of ``scorer`` and ``budget``.
        keep, min_similarity: Limits around the one molecule ``start`` (see :func:`optimize_lead`).

    Raises:
        ConfigError: Both or neither of scorer and stages, an unknown method, or limits without one molecule to start from.
    """
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    if (scorer is None) == (stages is None):
        raise ConfigError("give --scorer FILE, or --stages FILE for a run in stages, and not both")
    config = _config(method).replace(**(settings or {}))
    molecules = _start(start, smiles)
    generator: Generator | None = None
    if method not in ("genetic", "pareto") or start is None or prior is not None:
        from drugai.generation.loading import load_generator

        generator = load_generator(prior, given=start is not None)
    if keep or min_similarity is not None:
        if scorer is None or molecules is None or len(molecules) != 1:
            raise ConfigError("--keep and --min-similarity are limits around one molecule: give --start SMILES and --scorer FILE with them")
        lead = optimize_lead(
            molecules[0], read_scorer(scorer, load_predictor), keep=keep, min_similarity=0.4 if min_similarity is None else min_similarity, budget=budget,
            seed=seed, method=method, generator=generator, out=out, config=config,
        )  # fmt: skip
        return FileRun(lead.run, lead=lead)
    if stages is not None:
        found = optimize_stages(generator, read_stages(stages, load_predictor), seed=seed, method=method, start=molecules, out=out, config=config)
        return FileRun(found[-1], tuple(found))
    assert scorer is not None
    run = optimize(generator, read_scorer(scorer, load_predictor), budget=budget, seed=seed, method=method, start=molecules, out=out, config=config, until=until)
    return FileRun(run)


def _config(method: str) -> Config:
    if method in ("genetic", "pareto"):
        return GeneticConfig()
    from drugai.generation.reinvent import ReinventConfig

    return ReinventConfig()


def _start(start: str | Path | None, smiles: str | None) -> list[str] | None:
    """Molecules of a file, or the one SMILES that is no file's name."""
    if start is None:
        return None
    if Path(start).is_file():
        return [smi for part in read_library(start, smiles=smiles) for smi in part.smiles]
    return [str(start)]
