"""What a screener wants to know of the top: scaffolds, clusters, a diverse pick, novelty against known actives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from drugai.errors import ConfigError
from drugai.molecules import FingerprintIndex, MoleculeBatch, butina, fingerprint, infer_smiles_column, murcko_scaffolds, nearest, pick_maxmin, read_table

CLUSTER_CUTOFF = 0.35
"""Tanimoto distance within which hits are one cluster (Morgan, radius 2, 2,048 bits)."""
INDEXED_ABOVE = 200_000
"""Known actives beyond which an index in packed bits takes the place of the product of all with all; both are exact."""
CLUSTER_MOST = 10_000
"""Hits beyond which clusters are not made: they need all pairs."""


def describe_top(smiles: Sequence[str], *, diverse: int = 0, actives: Sequence[str] | None = None) -> dict[str, Any]:
    """Columns that say of the hits what a chemist asks.

    Args:
        smiles: SMILES of the hits, best first.
        diverse: Hits to pick as unlike one another as MaxMin makes them, the best hit first.
        actives: Known active molecules.

    Returns:
        ``scaffold``, ``cluster`` (up to 10,000 hits), ``diverse`` if asked, and ``similarity`` (Tanimoto to the nearest active; novelty is 1 − that) and
        ``nearest_active`` if actives are given.
    """
    batch = MoleculeBatch(list(smiles))
    n = len(batch)
    out: dict[str, Any] = {"scaffold": murcko_scaffolds(batch)}
    bits = fingerprint(batch, "morgan", bits=2048, radius=2)
    if n <= CLUSTER_MOST:
        out["cluster"] = butina(bits, CLUSTER_CUTOFF) if n else np.zeros(0, dtype=np.int64)
    if diverse:
        order = np.zeros(n, dtype=np.int64)
        if n:
            picked = pick_maxmin(bits, min(diverse, n), first=0)
            order[picked] = np.arange(1, len(picked) + 1)
        out["diverse"] = order
    if actives is not None:
        if len(actives) > INDEXED_ABOVE:
            values, rows = FingerprintIndex(actives).nearest(bits)
        else:
            known = fingerprint(MoleculeBatch(list(actives)), "morgan", bits=2048, radius=2)
            found, places = nearest(bits, known, 1) if n else (np.zeros((0, 1), np.float32), np.zeros((0, 1), np.int64))
            values, rows = found[:, 0], places[:, 0]
        out["similarity"] = values
        out["nearest_active"] = [actives[row] for row in rows]
    return out


def read_actives(source: str | Path | Sequence[str]) -> list[str]:
    """SMILES of known actives, from a file or as given; unreadable ones are an error.

    Raises:
        ConfigError: None is given, or one cannot be read.
    """
    if isinstance(source, (str, Path)):
        table = read_table(source)
        column = infer_smiles_column(list(table.columns)) or next(iter(table.columns))
        smiles = table.columns[column]
    else:
        smiles = list(source)
    batch = MoleculeBatch(smiles)
    bad = [f"{smi!r} ({why})" for smi, why in zip(batch.smiles, batch.reasons, strict=True) if why]
    if bad or not smiles:
        raise ConfigError(f"actives: {'cannot read ' + '; '.join(bad[:5]) if bad else 'no molecule is given'}")
    return smiles
