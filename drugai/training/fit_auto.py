"""The automatic combination: what was tried, what it cost, what it scored, and what was kept and why."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from drugai.artifact import is_artifact
from drugai.contracts import Dataset, Predictions
from drugai.errors import DatasetError
from drugai.metrics.property import direction
from drugai.predictors.auto import NETWORKS, AutoConfig
from drugai.predictors.base import HeldOut, TrainedPredictor, assemble
from drugai.predictors.ensemble import EnsemblePredictor, weighted
from drugai.predictors.gaussian_process import GPConfig
from drugai.predictors.loading import load_predictor
from drugai.predictors.scales import SCALES
from drugai.runtime import derive_seed
from drugai.training.fit_ensemble import mixing_weights
from drugai.training.fit_gnn import fit_gnn
from drugai.training.fit_lm import fit_lm
from drugai.training.folding import assign_folds, fold_each, fold_gp, fold_trees
from drugai.training.primary import PRIMARY, score_predictions
from drugai.training.rows import both_parts, check_trainable, origin, take_rows, usable_rows

logger = logging.getLogger(__name__)

OnEpoch = Callable[[int, Mapping[str, float]], None]

LEAST_LANDMARKS = 1000
"""Of a Gaussian process; one of fewer is left out for want of time."""
_SHORTEST = 15.0  # seconds below which a network is not worth beginning


@dataclass
class Try:
    """One candidate of an automatic run.

    Attributes:
        name: Kind and repetition: ``gp``, ``hybrid 2``.
        seconds: Wall time of the fit.
        score: On the folds that were held out, by ``metric`` of the run; NaN if it was not fitted.
        weight: In the ensemble; 0 if it is not there.
        why: Why it was kept or not.
    """

    name: str
    seconds: float = 0.0
    score: float = math.nan
    weight: float = 0.0
    why: str = ""


def fit_auto(
    config: AutoConfig, train: Dataset, valid: Dataset, *, seed: int = 0, on_epoch: OnEpoch | None = None, checkpoint: str | Path | None = None
) -> EnsemblePredictor:
    """Fit candidates over folds until the time is over, then weigh them by what they said of the folds that they had not seen.

    The first kind, trees by default, is always fitted; a Gaussian process is skipped where it would take longer than is left; a network anneals within what is left. When every kind has
    been fitted, kinds are repeated with other seeds in the order of their scores. How many members there are depends on the machine's speed.

    Args:
        config: Time, candidates and their Configs.
        train, valid: Parts of one data set; with ``config.whole`` both are learnt from, else ``valid`` is named in the record alone. A regression over decades is learnt as its
            logarithm, and scores and weights are of that.
        seed: Of the folds; the members' seeds derive from it.
        on_epoch: Called after each epoch of the networks.
        checkpoint: Folder; a member that was finished is not fitted again (the time starts anew).

    Returns:
        The ensemble; its ``held_out`` is what its members said of the folds, in the tasks' units.
    """
    deadline = time.monotonic() + 60 * config.minutes
    learnt = both_parts(train, valid) if config.whole and valid is not train else train
    check_trainable(learnt, usable_rows(learnt, "train"))
    scales = tuple(target_scale(config.scale, learnt, index) for index in range(len(learnt.tasks)))
    scaled = rescaled(learnt, scales)
    fold, method = assign_folds(scaled, config.folds, derive_seed(seed, "auto", "folds") % 2**31)
    rows = np.flatnonzero(fold >= 0)
    asked = take_rows(scaled, rows)
    metric = PRIMARY[learnt.tasks[0].kind]
    sign = 1.0 if direction(metric) == "min" else -1.0
    members: list[TrainedPredictor] = []
    told: list[np.ndarray] = []  # [n, o] of each member: what its models say of the folds that they have not seen
    tries: list[Try] = []
    ahead = [(kind, 1) for kind in config.candidates]
    while ahead and len(members) < config.most:
        kind, time_of = ahead.pop(0)
        name = kind if time_of == 1 else f"{kind} {time_of}"
        found = Try(name)
        tries.append(found)
        began = time.monotonic()
        fitted = _member(config, kind, name, scaled, fold, derive_seed(seed, "auto", name) % 2**31, deadline - began, found, on_epoch, checkpoint)
        if fitted is not None:
            found.seconds = round(time.monotonic() - began, 1)
            found.score = float(score_predictions(assemble(asked.tasks, fitted[1][rows][None], [""] * len(rows)), asked, metric))
            members.append(fitted[0])
            told.append(fitted[1])
            logger.info("%s: held-out %s %.4f in %.0f s", name, metric, found.score, found.seconds, extra={"fields": asdict(found)})
        if not ahead and members and deadline - time.monotonic() > _SHORTEST:
            scored = [one for one in tries if not math.isnan(one.score)]
            # a Gaussian process with another seed is the same process: only what has randomness is worth repeating
            ahead = [(kind, time_of + 1) for kind in _by_score(scored, sign) if kind != "gp"][:2] if time_of < 4 else []
    if not members:
        raise RuntimeError("no candidate was fitted")  # the first always is
    weights = mixing_weights([one[rows] for one in told], asked)
    kept = [index for index, weight in enumerate(weights) if weight >= config.least_weight or len(members) == 1] or [int(weights.argmax())]
    weights = mixing_weights([told[index][rows] for index in kept], asked) if len(kept) < len(members) else weights
    scored = [one for one in tries if not math.isnan(one.score)]
    for index, one in enumerate(scored):
        one.weight = round(float(weights[kept.index(index)]), 3) if index in kept else 0.0
        one.why = "kept" if index in kept else f"its weight by the held-out folds was under {config.least_weight:g}"
    record = {
        **origin(train, valid),
        "seed": seed,
        "names": [scored[index].name for index in kept],
        "auto": {
            "minutes": config.minutes, "metric": metric, "scales": list(scales), "folds": config.folds, "folds_by": method, "whole": config.whole,
            "tries": [asdict(one) for one in tries],
        },
    }  # fmt: skip
    ensemble = EnsemblePredictor([members[index] for index in kept], weights.tolist(), record, scales)
    ensemble.held_out = HeldOut(learnt, _together(ensemble, np.stack([told[index] for index in kept]), fold), fold)
    return ensemble


def _together(ensemble: EnsemblePredictor, told: np.ndarray, fold: np.ndarray) -> Predictions:
    """What the ensemble says of held-out molecules: its members' outputs ``[m, n, o]``, weighed as it weighs others, in the tasks' units."""
    # output by output, for a Gaussian process says nothing of a task on which the molecule was not measured
    parts = [weighted(told[:, :, [column]], ensemble.weights, ~np.isnan(told[:, :, column])) for column in range(told.shape[2])]
    outputs = np.concatenate([part[0] for part in parts], axis=2)
    some = np.any([part[1] for part in parts], axis=0)
    return assemble(ensemble.tasks, ensemble.in_units(outputs), ["" if number >= 0 and one else "held out by no fold" for number, one in zip(fold, some, strict=True)])


def target_scale(asked: str, train: Dataset, index: int) -> str:
    """The scale on which a regression is learnt.

    ``percent`` (the logit of a share) where it was asked for or the unit is % and the values lie in 0 to 100; ``log10`` where it was asked for, or where the training values are all positive,
    skewed by more than 2, and not half as skewed in decades; else ``linear``.

    Raises:
        DatasetError: A scale was asked for and a value has no place on it.
    """
    from scipy.stats import skew

    task = train.tasks[index]
    if task.kind != "regression" or asked == "linear":
        return "linear"
    values = train.y[:, index].astype(np.float64)
    values = values[~np.isnan(values)]
    positive = bool(len(values)) and bool((values > 0).all())
    share = bool(len(values)) and bool(((values >= 0) & (values <= 100)).all())
    if asked == "log10" and not positive:
        raise DatasetError(f"task {task.name!r}: a value of 0 or less has no logarithm; use scale='linear' or 'auto'")
    if asked == "percent" and not share:
        raise DatasetError(f"task {task.name!r}: a value outside 0 to 100 is no share in percent; use scale='linear' or 'auto'")
    if asked != "auto":
        return asked
    if not len(values) or values.std() == 0 or usable_rows(train, "train", bounds=True).bounds is not None:
        return "linear"  # bounds of censored values stay in their unit
    if share and task.unit == "%":
        return "percent"
    plain, logged = abs(float(skew(values))), abs(float(skew(np.log10(values)))) if positive else math.inf
    return "log10" if plain > 2 and logged < plain / 2 else "linear"


def rescaled(data: Dataset, scales: Sequence[str]) -> Dataset:
    """The data set with each task's values on its scale; a value that the scale does not have counts as not measured."""
    if set(scales) == {"linear"}:
        return data
    y = np.column_stack([SCALES[scale].there(data.y[:, index]) for index, scale in enumerate(scales)])
    return replace(data, y=np.where(np.isfinite(y), y, np.nan).astype(np.float32))


def _by_score(fitted: list[Try], sign: float) -> list[str]:
    best: dict[str, float] = {}
    for one in fitted:
        kind = one.name.split()[0]
        best[kind] = min(best.get(kind, math.inf), sign * one.score)
    return sorted(best, key=best.__getitem__)


def _member(
    config: AutoConfig,
    kind: str,
    name: str,
    data: Dataset,
    fold: np.ndarray,
    seed: int,
    left: float,
    found: Try,
    on_epoch: OnEpoch | None,
    checkpoint: str | Path | None,
) -> tuple[TrainedPredictor, np.ndarray] | None:
    """The member and its held-out outputs, fitted or read from the checkpoint; None with ``found.why`` said where there is no time for it."""
    folder = Path(checkpoint) / name.replace(" ", "_") if checkpoint is not None else None
    kept = folder.with_name(folder.name + ".npy") if folder is not None else None
    if folder is not None and kept is not None and is_artifact(folder):
        return load_predictor(folder), np.load(kept, allow_pickle=False)
    first = name == config.candidates[0]
    gp = config.gp if first else affordable(config.gp, len(data), left)
    if kind == "gp" and gp is None:
        found.why = f"skipped: even of {LEAST_LANDMARKS:,} landmarks it would take about {gp_seconds(len(data), LEAST_LANDMARKS):.0f} s, {max(left, 0):.0f} s were left"
        return None
    # a network needs a while for each fold, a head on a fixed encoder and boosters are quick
    least = _SHORTEST * (config.folds if kind in NETWORKS else 1)
    if kind != "gp" and not first and left < least:
        found.why = f"skipped: {max(left, 0):.0f} s were left, {least:.0f} s are the least"
        return None
    boosted = {"trees": config.trees, "fragments": config.fragments, "embedded": config.embedded}
    if kind in boosted:
        member: tuple[TrainedPredictor, np.ndarray] = fold_trees(boosted[kind], data, fold, seed)
    elif kind == "gp":
        assert gp is not None
        member = fold_gp(gp, data, fold, seed)
    else:
        # networks that are still to come get as much of the time as this one
        after = config.candidates[config.candidates.index(kind) + 1 :] if name == kind and kind in NETWORKS else ()
        until = time.monotonic() + max(left, least) / (1 + len(set(after) & set(NETWORKS)))

        def fit(rest: Dataset, part: Dataset, of: int, number: int) -> TrainedPredictor:
            minutes = max(until - time.monotonic(), 1.0) / (config.folds - number) / 60
            if kind == "lm":
                return fit_lm(config.lm.replace(minutes=minutes), rest, part, seed=of, on_epoch=on_epoch)
            return fit_gnn((config.hybrid if kind == "hybrid" else config.gnn).replace(minutes=minutes), rest, part, seed=of, on_epoch=on_epoch)

        member = fold_each(fit, data, fold, seed, Path(checkpoint) / f"{folder.name}.folds" if checkpoint is not None and folder is not None else None)
    if folder is not None and kept is not None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, member[1])  # before the folder, whose being there says that both are
        member[0].save(folder)
    return member


def gp_seconds(n: int, landmarks: int = 4000) -> float:
    """Rough seconds for a Gaussian process of n molecules on one core: features, kernels among the landmarks, likelihood, the rest of the rows."""
    carried = min(n, landmarks)
    return 10.0 + 0.006 * n + 50.0 * (carried / 4000) ** 2 + 0.02 * (n - carried) * carried / 4000


def affordable(config: GPConfig, n: int, seconds: float) -> GPConfig | None:
    """The process with as many of its landmarks as can be afforded, halved until it fits; None where 1,000 are too many."""
    landmarks = config.landmarks
    while gp_seconds(n, landmarks) > seconds:
        landmarks //= 2
        if landmarks < min(LEAST_LANDMARKS, n):
            return None
    return config.replace(landmarks=landmarks) if landmarks < config.landmarks else config
