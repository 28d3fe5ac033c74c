"""Data sets to deepchem and back, and MoleculeNet's loaders on files that are here."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drugai.contracts import Dataset, Task
from drugai.data import card, fetch
from drugai.errors import DatasetError, unknown
from drugai.featurizers.blocks import featurize_blocks
from drugai.interop.loading import deepchem, silenced

if TYPE_CHECKING:
    from deepchem.data import NumpyDataset

# card → deepchem's loader and the file name that it looks for
LOADERS = {
    "esol": ("load_delaney", "delaney-processed.csv"),
    "freesolv": ("load_sampl", "SAMPL.csv"),
    "lipophilicity": ("load_lipo", "Lipophilicity.csv"),
    "bbbp": ("load_bbbp", "BBBP.csv"),
    "bace": ("load_bace_classification", "bace.csv"),
    "clintox": ("load_clintox", "clintox.csv.gz"),
    "tox21": ("load_tox21", "tox21.csv.gz"),
    "hiv": ("load_hiv", "HIV.csv"),
}


def to_deepchem(data: Dataset, blocks: Sequence[str] = ()) -> NumpyDataset:
    """A data set as deepchem has them: ids are the SMILES, w the mask of measured values (times the row weights, if any), y 0 where nothing was measured.

    Args:
        data: Any data set.
        blocks: Feature blocks for X, ``deepchem:…`` among them; none: X holds the SMILES. An unreadable molecule has a row of zeros and weight 0.
    """
    dc = deepchem()
    known = ~np.isnan(data.y)
    w = known.astype(np.float32)
    if data.weights is not None:
        w = w * data.weights[:, None]
    smiles = np.array(data.smiles, dtype=object)
    x: np.ndarray = smiles
    if blocks:
        matrix = featurize_blocks(data.smiles, blocks)
        w = w * ~np.isnan(matrix).all(axis=1)[:, None]
        x = np.nan_to_num(matrix)
    found: NumpyDataset = dc.data.NumpyDataset(x, np.nan_to_num(data.y), w, smiles, n_tasks=len(data.tasks))
    return found


def from_deepchem(found: Any, tasks: Sequence[Task] | None = None, *, name: str = "deepchem") -> Dataset:
    """A deepchem data set as ours: a value of weight 0 was not measured; ids are taken for SMILES.

    Args:
        found: Any deepchem Dataset whose ids are SMILES.
        tasks: Its tasks; by default named as deepchem names them, binary where all values are 0 or 1, else regression without a unit.
        name: Of the data set.

    Raises:
        DatasetError: y and the tasks do not fit, or weights differ between the tasks of one molecule (ours belong to molecules).
    """
    y = np.asarray(found.y, dtype=np.float32).reshape(len(found), -1)
    w = np.broadcast_to(np.asarray(found.w, dtype=np.float32).reshape(len(found), -1), y.shape)
    y = np.where(w == 0, np.nan, y)
    names = [str(one) for one in found.get_task_names()]
    chosen = tuple(tasks) if tasks is not None else tuple(Task(one if one else f"task_{k}", _kind(y[:, k])) for k, one in enumerate(names))
    if len(chosen) != y.shape[1]:
        raise DatasetError(f"{name}: {len(chosen)} tasks were given for y with {y.shape[1]} columns")
    weights: np.ndarray | None = None
    most = w.max(axis=1, initial=0)
    if not np.isin(w, (0.0, 1.0)).all():
        if not ((w == 0) | np.isclose(w, most[:, None])).all():
            raise DatasetError(f"{name}: a molecule has different weights for different tasks; take the tasks one by one, or leave deepchem's balancing transformer out")
        weights = most
    return Dataset(name, tuple(str(one) for one in found.ids), y, chosen, weights=weights)


def load_moleculenet(name: str, *, featurizer: Any = "ECFP", splitter: Any = "scaffold", transformers: Sequence[Any] = (), **options: Any) -> tuple[Any, Any, Any]:
    """deepchem's own MoleculeNet loader on the file of our card (checked by sha256), so that it never downloads.

    Args:
        name: ``esol``, ``freesolv``, ``lipophilicity``, ``bbbp``, ``bace``, ``clintox``, ``tox21`` or ``hiv``.
        featurizer, splitter, transformers, options: As deepchem takes them.

    Returns:
        deepchem's (tasks, data sets, transformers).
    """
    if name not in LOADERS:
        raise unknown("MoleculeNet set", name, list(LOADERS), DatasetError)
    dc = deepchem()
    loader, wanted = LOADERS[name]
    with tempfile.TemporaryDirectory(prefix="drugai-moleculenet-") as folder:
        _provide(fetch(name), Path(folder) / wanted)
        with silenced():
            tasks, sets, found = getattr(dc.molnet, loader)(
                featurizer=featurizer, splitter=splitter, transformers=list(transformers), reload=False, data_dir=folder, save_dir=folder, **options
            )
            sets = tuple(dc.data.NumpyDataset(one.X, one.y, one.w, one.ids) for one in sets)  # deepchem's own lie in the folder that goes
    if not sum(len(one) for one in sets):
        raise DatasetError(f"{name}: deepchem read no row of the {card(name).files[0].path}; its loader does not fit this file")
    return tasks, sets, found


def _provide(source: Path, target: Path) -> None:
    if target.suffix == ".gz" and source.suffix != ".gz":
        with source.open("rb") as plain, gzip.open(target, "wb") as packed:
            shutil.copyfileobj(plain, packed)
    else:
        shutil.copyfile(source, target)


def _kind(values: np.ndarray) -> Any:
    known = values[~np.isnan(values)]
    return "binary" if known.size and np.isin(known, (0.0, 1.0)).all() else "regression"
