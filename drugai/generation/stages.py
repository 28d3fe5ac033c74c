"""Stages: easy scorers first, dear ones later. Each stage starts from what the one before it found; one that reaches its aim early ends early, and the next begins."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drugai.config import Config
from drugai.contracts import Generator, Scorer
from drugai.errors import ConfigError
from drugai.generation.optimization import Optimization, optimize
from drugai.molecules import MoleculeBatch
from drugai.runtime import derive_seed
from drugai.scoring.reading import LoadPredictor, read_scorer, take_keys

logger = logging.getLogger(__name__)

_PARENTS = 100  # best molecules of a stage that the next one starts from


@dataclass(frozen=True)
class Stage:
    """One part of a run.

    Attributes:
        scorer: What a good molecule is in this stage.
        budget: Different molecules that may be scored.
        until: The stage ends early when the mean total of the ten best reaches this.
        name: Its folder.
    """

    scorer: Scorer | Callable[[list[str]], Any]
    budget: int
    until: float | None = None
    name: str = ""


def optimize_stages(
    generator: Generator | None,
    stages: Sequence[Stage],
    *,
    seed: int = 0,
    method: str = "genetic",
    start: Sequence[str] | MoleculeBatch | None = None,
    out: str | Path | None = None,
    config: Config | None = None,
    every: int = 500,
) -> list[Optimization]:
    """Optimise stage by stage. The arguments are those of :func:`optimize`; the run of a stage lies in its own folder of ``out`` and is resumed as any other.

    A later stage scores the hundred best of the stage before first; ``reinvent`` and ``hybrid`` go on with its agent too.

    Raises:
        ConfigError: No stage, or two of one name.
    """
    names = [stage.name or f"stage{number}" for number, stage in enumerate(stages, start=1)]
    if not stages or len(set(names)) < len(names):
        raise ConfigError(f"a staged run needs at least one stage and different names, got {', '.join(names) or 'none'}")
    found: list[Optimization] = []
    agent: Generator | None = None
    for number, (stage, name) in enumerate(zip(stages, names, strict=True)):
        folder = None if out is None else Path(out) / name
        if found:
            start = [one.smiles for one in found[-1].top(_PARENTS)]
            agent = found[-1].agent or _saved_agent(Path(out) / names[number - 1] if out is not None else None, method)
        logger.info("stage %s: up to %d molecules", name, stage.budget)
        found.append(
            optimize(
                generator, stage.scorer, budget=stage.budget, seed=derive_seed(seed, name), method=method, start=start, out=folder, config=config,
                every=every, until=stage.until, agent=agent,
            )
        )  # fmt: skip
    return found


def read_stages(path: str | Path, load_predictor: LoadPredictor | None = None) -> list[Stage]:
    """Stages from a TOML file: ``[[stage]]`` with ``scorer`` (a scorer file beside it), ``budget`` and, as wanted, ``until`` and ``name``.

    Raises:
        ConfigError: The file cannot be read, or a stage lacks its scorer or budget.
    """
    file = Path(path)
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{file}: no such file of stages") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not valid TOML ({error})") from None
    stages = []
    for number, entry in enumerate(values.get("stage", []), start=1):
        found = take_keys(dict(entry), ("scorer", "budget", "until", "name"))
        if "scorer" not in found or "budget" not in found:
            raise ConfigError(f'{file}: stage {number} needs scorer = "file.toml" and budget = 1000')
        stages.append(Stage(read_scorer(file.parent / found["scorer"], load_predictor), found["budget"], found.get("until"), found.get("name", "")))
    if not stages:
        raise ConfigError(f"{file}: no [[stage]] is there")
    return stages


def _saved_agent(folder: Path | None, method: str) -> Generator | None:
    """The agent that a finished stage left in its folder."""
    if folder is None or method not in ("reinvent", "hybrid") or not (folder / "agent").is_dir():
        return None
    from drugai.generation.loading import load_generator

    return load_generator(folder / "agent")
