"""Cut one's own tables into train, validation and test parts, similar drugs kept together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from drugai.errors import ConfigError
from drugai.linking.protocol import Benchmark, read_benchmark, whole_benchmark
from drugai.linking.tables import LinkTables, read_primer, read_tables
from drugai.runtime import generator


def split_benchmark(tables: LinkTables, seed: int = 0, fractions: tuple[float, float, float] = (0.7, 0.15, 0.15)) -> Benchmark:
    """A benchmark of tables that bring no split of their own: whole groups of similar drugs, and single diseases, drawn into the parts.

    Args:
        tables: Drugs, diseases and their pairs.
        seed: Of the draw; also the number by which the parts are asked for.
        fractions: Of train, validation and test.

    Raises:
        ConfigError: Fractions that do not sum to 1, or a part that stays empty.
    """
    if abs(sum(fractions) - 1) > 1e-6 or min(fractions) <= 0:
        raise ConfigError(f"fractions must be above 0 and sum to 1; got {fractions}")
    whole = whole_benchmark(tables, seed)
    sides = {}
    for side, groups in (("drug", whole.drug_groups), ("disease", whole.disease_groups)):
        parts = _draw(np.asarray(groups), fractions, seed, side)
        if len(np.unique(parts)) < 3:
            raise ConfigError(f"{tables.name}: {len(np.unique(groups))} groups on the {side} side cannot fill three parts; more data is needed")
        sides[side] = {seed: parts}
    return replace(whole, drug_parts=sides["drug"], disease_parts=sides["disease"])


def find_benchmark(folder: str | Path | None = None, seed: int = 0) -> Benchmark:
    """The benchmark of a folder: by its own ``splits_v1.json``, or cut by ``seed`` where it has none. Without a folder: the primer that is packaged, cut by ``seed``."""
    if folder is None:
        return split_benchmark(read_primer(), seed)
    if (Path(folder) / "splits_v1.json").is_file():
        return read_benchmark(folder)
    return split_benchmark(read_tables(folder), seed)


def _draw(groups: np.ndarray, fractions: tuple[float, float, float], seed: int, side: str) -> np.ndarray:
    """``[n]`` 0 train, 1 validation, 2 test: groups in random order, each into the part that is furthest below its share."""
    names, counts = np.unique(groups, return_counts=True)
    wanted = np.array(fractions) * len(groups)
    filled = np.zeros(3)
    part_of = {}
    for index in generator(seed, "parts", side).permutation(len(names)):
        part = int(np.argmax((wanted - filled) / wanted))
        part_of[names[index]] = part
        filled[part] += counts[index]
    return np.array([part_of[name] for name in groups])
