"""The protocol of config.toml as objects: plans of the endpoints, their measured molecules without the test part, the approved drugs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np

import drugai
from drugai.contracts import Dataset, Split, Task
from drugai.data import card
from drugai.molecules import MoleculeBatch, standardize
from drugai.training.admet import AdmetConfig, EndpointPlan

HERE = Path(__file__).resolve().parent
PROTOCOL: dict[str, Any] = tomllib.loads((HERE / "config.toml").read_text())
ENDPOINTS: list[dict[str, Any]] = PROTOCOL["endpoint"]


def fit_folder(name: str, seed: int) -> Path:
    """Where the fit of an endpoint is kept."""
    return HERE.parents[1] / "runs" / ("admet" if seed == PROTOCOL["seed"] else f"admet_{seed}") / name


def recipe(**changes: Any) -> AdmetConfig:
    """The Config of the panel."""
    return AdmetConfig().replace(**{**PROTOCOL["recipe"], **changes})


def parts_of(entry: dict[str, Any]) -> tuple[Dataset, Split]:
    """An endpoint's data set and its given parts."""
    data = drugai.read_dataset(entry["data"])
    return data, drugai.split(data, method=PROTOCOL["split"], seed=PROTOCOL["seed"])


def measured_of(entry: dict[str, Any]) -> Dataset:
    """Train and validation part together: all that is learnt from."""
    data, split = parts_of(entry)
    return data.take(np.sort(np.concatenate([split.train, split.valid])))


def plan_of(entry: dict[str, Any], **changes: Any) -> EndpointPlan:
    """What is fitted of an endpoint, with its card."""
    known = card(entry["data"])
    task = known.tasks[0]
    told = {
        "title": entry["title"], "measured": entry["measured"], "reading": entry["reading"], "data": entry["data"], "source": list(known.citation), "licence": known.licence,
    }  # fmt: skip
    settings = {"scale": entry.get("scale", "linear"), "loss": entry.get("loss", "mse"), "auxiliary": auxiliary_of(entry), **changes}
    return EndpointPlan(entry["name"], Task(entry["name"], task.kind, task.unit), card=told, **settings)


def auxiliary_of(entry: dict[str, Any]) -> tuple[str, ...]:
    """Endpoints whose outputs it learns from, by the rule of the protocol."""
    return tuple(PROTOCOL["auxiliary"]["of"]) if entry.get("auxiliary") else ()


def approved_drugs() -> MoleculeBatch:
    """The reference of the percentiles: salts and solvents off."""
    data = drugai.read_dataset(PROTOCOL["drugs"], targets=[])
    done = standardize(MoleculeBatch(data.smiles), charges=False)
    return MoleculeBatch([smi for smi, why in zip(done.smiles, done.reasons, strict=True) if not why])
