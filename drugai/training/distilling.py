"""Distillation: a small student learns what a costly teacher says of an unlabelled library, so that millions can be screened at the student's price.

Source: Hinton, Vinyals and Dean, 2015 (arXiv:1503.02531).
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from drugai.artifact import is_artifact
from drugai.contracts import Dataset
from drugai.errors import ArtifactError, ConfigError, DatasetError
from drugai.models.gnn import GNNNetConfig
from drugai.molecules import MoleculeBatch, read_library
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.gnn import GNNConfig
from drugai.predictors.loading import load_predictor
from drugai.predictors.streaming import library_path
from drugai.runtime import generator
from drugai.training.calibrating import LEAST as CALIBRATION_LEAST
from drugai.training.calibrating import calibrate
from drugai.training.fit import fit_on
from drugai.training.run import own_data

log = logging.getLogger(__name__)

LEAST = 1000
"""Molecules of a library below which a student is not worth its name: its fidelity is measured on a tenth of them."""
TOP = 0.01
"""Share of the held-out molecules that counts as the top."""

OnEpoch = Callable[[int, Mapping[str, float]], None]


def student_config() -> GNNConfig:
    """A graph isomorphism network of 4 layers of 128, the small model of the screening benchmark."""
    return GNNConfig(
        GNNNetConfig(encoder="gin", width=128, depth=4, head_width=128, pooling="mean_sum", dropout=0.0), epochs=15, batch_size=128, learning_rate=2e-3, weight_decay=1e-5
    )


def distill(
    teacher: TrainedPredictor,
    library: Sequence[str],
    *,
    said: np.ndarray | None = None,
    config: Any = None,
    seed: int = 0,
    on_epoch: OnEpoch | None = None,
    checkpoint: str | Path | None = None,
) -> TrainedPredictor:
    """Train a student on the teacher's predictions for a library.

    Args:
        teacher: Any predictor whose tasks are regressions or of two classes; of the latter the student learns the probability itself.
        library: SMILES without values, at least 1,000 readable ones; copies of one molecule count once. They should be like those that will be screened.
        said: ``[n, t]`` what the teacher said of the library's rows, if it was asked before; NaN where it has no value.
        config: Of the student; a GIN of 4 × 128 by default.
        seed: Of parts and training: a tenth of the molecules chooses the epoch, another tenth measures the fidelity.
        on_epoch: Called after each epoch.
        checkpoint: Folder from which a killed run continues.

    Returns:
        The student. ``record["distilled"]`` holds its fidelity on molecules that it has not seen: for each task R², Spearman correlation, and the share of the teacher's top 1 %
        that is in the student's top 1 %.

    Raises:
        ConfigError: The teacher has a task of several classes.
        DatasetError: Too few readable molecules, or ``said`` does not fit the library.
    """
    several = [task.name for task in teacher.tasks if task.kind == "multiclass"]
    if several:
        raise ConfigError(f"task {several[0]!r} has several classes; regressions and tasks of two classes can be distilled")
    if said is not None and said.shape != (len(library), len(teacher.tasks)):
        raise DatasetError(f"what the teacher said has shape {said.shape}; {len(library)} molecules and {len(teacher.tasks)} tasks need {(len(library), len(teacher.tasks))}")
    batch = MoleculeBatch(list(library))
    distinct = {smi: row for row, smi in reversed(list(enumerate(batch.canonical))) if smi}
    rows = np.array(sorted(distinct.values()), dtype=np.int64)
    if len(rows) < LEAST:
        raise DatasetError(f"the library holds {len(rows)} different readable molecules; at least {LEAST} are needed")
    smiles = [batch.smiles[row] for row in rows]
    mean = teacher.predict(smiles).mean if said is None else said[rows].astype(np.float32)
    fine = np.flatnonzero(~np.isnan(mean).any(axis=1))
    data = Dataset("distillation", tuple(smiles[row] for row in fine), mean[fine], teacher.tasks)
    order = generator(seed, "distillation").permutation(len(data))
    tenth = len(data) // 10
    train, valid, held = (data.take(np.sort(part)) for part in (order[2 * tenth :], order[:tenth], order[tenth : 2 * tenth]))
    log.info("the teacher has spoken on %d molecules", len(data))
    chosen = config if config is not None else student_config()
    student = fit_on(chosen, train, valid, seed=seed, on_epoch=on_epoch, checkpoint=checkpoint)
    student.record["distilled"] = {
        "library": len(library), "used": len(data), "seed": seed, "fidelity": fidelity(student.predict(list(held.smiles)).mean, held.y, [task.name for task in data.tasks]),
    }  # fmt: skip
    return student


def fidelity(student: np.ndarray, teacher: np.ndarray, names: Sequence[str], top: float = TOP) -> dict[str, dict[str, float]]:
    """How well a student repeats its teacher.

    Args:
        student, teacher: ``[n, t]`` predictions.
        names: t tasks.
        top: Share of the molecules that counts as the top.

    Returns:
        Task → ``r2``, ``spearman``, ``top`` (share of the teacher's top that is in the student's) and ``n``.
    """
    from drugai.metrics.property import spearman

    out = {}
    for index, name in enumerate(names):
        a, b = student[:, index].astype(np.float64), teacher[:, index].astype(np.float64)
        k = max(1, round(top * len(b)))
        best = [set(np.argsort(-values, kind="stable")[:k].tolist()) for values in (a, b)]
        variance = float(np.sum((b - b.mean()) ** 2))
        r2 = 1 - float(np.sum((a - b) ** 2)) / variance if variance > 0 else float("nan")
        out[name] = {"r2": round(r2, 4), "spearman": round(float(spearman(b, a)), 4), "top": round(len(best[0] & best[1]) / k, 4), "n": len(b)}
    return out


def distill_saved(
    model: str | Path, library: str | Path, out: str | Path, *, smiles: str | None = None, limit: int | None = None, config: Any = None, seed: int = 0, on_epoch: OnEpoch | None = None
) -> TrainedPredictor:
    """Distill a saved model over a library file and save the student.

    Where the teacher's own data is at hand, the student is calibrated on its validation part, and `drugai evaluate` scores it on the parts of the teacher.

    Args:
        model: The teacher's folder.
        library: File or a card's name.
        out: Folder of the student.
        smiles: SMILES column of the library.
        limit: Most molecules to take, from its beginning.
        config, seed, on_epoch: As for :func:`distill`.

    Raises:
        ArtifactError: ``out`` holds something else.
    """
    target = Path(out)
    if target.exists() and not is_artifact(target) and (not target.is_dir() or any(target.iterdir())):
        raise ArtifactError(f"{target} exists and is no drugai artifact; choose another folder or remove it")
    teacher = load_predictor(model)
    texts: list[str] = []
    for part in read_library(library_path(library), smiles=smiles):
        texts += part.smiles
        if limit is not None and len(texts) >= limit:
            texts = texts[:limit]
            break
    checkpoint = target.with_name(target.name + ".checkpoint")
    student = distill(teacher, texts, config=config, seed=seed, on_epoch=on_epoch, checkpoint=checkpoint)
    student.record["distilled"] |= {"teacher": str(model), "teacher_kind": teacher.pack().kind, "from": Path(str(library)).name}
    try:
        data, parts = own_data(teacher, model)
    except (ArtifactError, DatasetError) as error:
        log.warning("the student is not calibrated and has no parts to be evaluated on: %s", error)
    else:
        student.record |= {key: teacher.record[key] for key in ("source", "split", "data")}
        if int((~np.isnan(data.take(parts.valid).y).all(axis=1)).sum()) >= CALIBRATION_LEAST:
            calibrate(student, data.take(parts.train), data.take(parts.valid), seed=seed)
    student.save(target)
    shutil.rmtree(checkpoint, ignore_errors=True)
    return student
