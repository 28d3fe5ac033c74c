"""Optimisation with everything from files: what the command line calls."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drugai.config import Config
from drugai.contracts import Generator
from drugai.errors import unknown
from drugai.generation.genetic import GeneticConfig
from drugai.generation.optimization import METHODS, Optimization, optimize
from drugai.molecules import read_library
from drugai.predictors import load_predictor
from drugai.scoring import read_scorer


def optimize_files(
    scorer: str | Path,
    out: str | Path,
    *,
    budget: int,
    method: str = "genetic",
    prior: str | Path | None = None,
    start: str | Path | None = None,
    smiles: str | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
) -> Optimization:
    """:func:`optimize` with everything from files: what ``drugai optimize`` calls.

    Args:
        scorer: TOML file of a scorer.
        out: Folder of the run.
        budget, method, seed: As of :func:`optimize`.
        prior: Folder or name of a prior; None takes the shipped one where one is needed.
        start: File of molecules to start from.
        smiles: SMILES column of ``start``.
        settings: Changes of the method's Config, by dotted names.
    """
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    read = read_scorer(scorer, load_predictor)
    generator: Generator | None = None
    if method != "genetic" or start is None or prior is not None:
        from drugai.generation.loading import load_generator

        generator = load_generator(prior)
    if method == "genetic":
        config: Config = GeneticConfig()
    else:
        from drugai.generation.reinvent import ReinventConfig

        config = ReinventConfig()
    molecules = None if start is None else [smi for part in read_library(start, smiles=smiles) for smi in part.smiles]
    return optimize(generator, read, budget=budget, seed=seed, method=method, start=molecules, out=out, config=config.replace(**(settings or {})))
