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
from drugai.contracts import Dataset
from drugai.errors import DatasetError
from drugai.metrics.property import direction
from drugai.predictors.auto import NETWORKS, AutoConfig
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.ensemble import EnsemblePredictor
from drugai.predictors.loading import load_predictor
from drugai.predictors.scales import SCALES
from drugai.runtime import derive_seed
from drugai.training.fit_bagged import fit_bagged
from drugai.training.fit_ensemble import member_weights
from drugai.training.fit_gnn import fit_gnn
from drugai.training.fit_gp import fit_gp
from drugai.training.fit_lm import fit_lm
from drugai.training.fit_trees import fit_trees
from drugai.training.primary import PRIMARY, score_predictions
from drugai.training.rows import origin, usable_rows

logger = logging.getLogger(__name__)

OnEpoch = Callable[[int, Mapping[str, float]], None]

_SHORTEST = 15.0  # seconds below which a network is not worth beginning


@dataclass
class Try:
    """One candidate of an automatic run.

    Attributes:
        name: Kind and repetition: ``gp``, ``hybrid 2``.
        seconds: Wall time of the fit.
        score: On the validation part, by ``metric`` of the run; NaN if it was not fitted.
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
    """Fit candidates until the time is over, then weigh them on the validation part.

    The first kind, trees by default, is always fitted; a Gaussian process is skipped where it would take longer than is left; a network anneals within what is left. When every kind has
    been fitted, kinds are repeated with other seeds in the order of their validation scores. How many members there are depends on the machine's speed.

    Args:
        config: Time, candidates and their Configs.
        train, valid: Parts of one data set; the weights come from ``valid``. A regression over decades is learnt as its logarithm, and scores and weights are of that.
        seed: Members' seeds derive from it.
        on_epoch: Called after each epoch of the networks.
        checkpoint: Folder; a member that was finished is not fitted again (the time starts anew).
    """
    deadline = time.monotonic() + 60 * config.minutes
    scales = tuple(target_scale(config.scale, train, index) for index in range(len(train.tasks)))
    train, valid = rescaled(train, scales), rescaled(valid, scales)
    metric = PRIMARY[train.tasks[0].kind]
    sign = 1.0 if direction(metric) == "min" else -1.0
    members: list[TrainedPredictor] = []
    tries: list[Try] = []
    ahead = [(kind, 1) for kind in config.candidates]
    while ahead and len(members) < config.most:
        kind, time_of = ahead.pop(0)
        name = kind if time_of == 1 else f"{kind} {time_of}"
        found = Try(name)
        tries.append(found)
        began = time.monotonic()
        member = _member(config, kind, name, train, valid, derive_seed(seed, "auto", name), deadline - began, found, on_epoch, checkpoint)
        if member is not None:
            found.seconds = round(time.monotonic() - began, 1)
            found.score = float(score_predictions(member.predict(valid.smiles), valid, metric))
            members.append(member)
            logger.info("%s: valid %s %.4f in %.0f s", name, metric, found.score, found.seconds, extra={"fields": asdict(found)})
        if not ahead and members and deadline - time.monotonic() > _SHORTEST:
            fitted = [one for one in tries if not math.isnan(one.score)]
            # a Gaussian process with another seed is the same process: only what has randomness is worth repeating
            ahead = [(kind, time_of + 1) for kind in _by_score(fitted, sign) if kind != "gp"][:2] if time_of < 4 else []
    if not members:
        raise RuntimeError("no candidate was fitted")  # the first always is
    weights = member_weights(members, valid)
    kept = [index for index, weight in enumerate(weights) if weight >= config.least_weight or len(members) == 1] or [int(weights.argmax())]
    chosen = [members[index] for index in kept]
    weights = member_weights(chosen, valid) if len(chosen) < len(members) else weights
    fitted = [one for one in tries if not math.isnan(one.score)]
    for index, one in enumerate(fitted):
        one.weight = round(float(weights[kept.index(index)]), 3) if index in kept else 0.0
        one.why = "kept" if index in kept else f"its weight on the validation part was under {config.least_weight:g}"
    record = {
        **origin(train, valid),
        "seed": seed,
        "names": [fitted[index].name for index in kept],
        "auto": {"minutes": config.minutes, "metric": metric, "scales": list(scales), "tries": [asdict(one) for one in tries]},
    }
    return EnsemblePredictor(chosen, weights.tolist(), record, scales)


def target_scale(asked: str, train: Dataset, index: int) -> str:
    """``log10`` where it was asked for, or where a regression's training values are all positive, skewed by more than 2, and not half as skewed in decades; else ``linear``.

    Raises:
        DatasetError: ``log10`` was asked for and a value is not positive.
    """
    from scipy.stats import skew

    if train.tasks[index].kind != "regression" or asked == "linear":
        return "linear"
    values = train.y[:, index].astype(np.float64)
    values = values[~np.isnan(values)]
    positive = bool(len(values)) and bool((values > 0).all())
    if asked == "log10":
        if not positive:
            raise DatasetError(f"task {train.tasks[index].name!r}: a value of 0 or less has no logarithm; use scale='linear' or 'auto'")
        return asked
    if not positive or values.std() == 0:
        return "linear"
    plain, logged = abs(float(skew(values))), abs(float(skew(np.log10(values))))
    if plain <= 2 or logged >= plain / 2 or usable_rows(train, "train", bounds=True).bounds is not None:
        return "linear"  # bounds of censored values stay in their unit
    return "log10"


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
    train: Dataset,
    valid: Dataset,
    seed: int,
    left: float,
    found: Try,
    on_epoch: OnEpoch | None,
    checkpoint: str | Path | None,
) -> TrainedPredictor | None:
    """The member, fitted or read from the checkpoint; None with ``found.why`` said where there is no time for it."""
    folder = Path(checkpoint) / name.replace(" ", "_") if checkpoint is not None else None
    if folder is not None and is_artifact(folder):
        return load_predictor(folder)
    first = name == config.candidates[0]
    if kind == "gp" and not first and gp_seconds(len(train)) > left:
        found.why = f"skipped: it would take about {gp_seconds(len(train)):.0f} s, {max(left, 0):.0f} s were left"
        return None
    if kind != "gp" and not first and left < _SHORTEST:
        found.why = f"skipped: {max(left, 0):.0f} s were left"
        return None
    if kind == "trees":
        member: TrainedPredictor = fit_trees(config.trees, train, valid, seed=seed)
    elif kind == "gp":
        member = fit_gp(config.gp, train, valid, seed=seed)
    elif kind == "bagged":
        member = fit_bagged(config.bagged, train, valid, seed=seed)
    elif kind == "lm":
        member = fit_lm(config.lm.replace(minutes=max(left, _SHORTEST) / 60), train, valid, seed=seed, on_epoch=on_epoch)
    else:
        network = config.hybrid if kind == "hybrid" else config.gnn
        # networks that are still to come get as much of the time as this one
        after = config.candidates[config.candidates.index(kind) + 1 :] if name == kind else ()
        share = 1.0 / (1 + len(set(after) & set(NETWORKS)))
        network = network.replace(minutes=max(left, _SHORTEST) * share / 60)
        member = fit_gnn(network, train, valid, seed=seed, on_epoch=on_epoch)
    if folder is not None:
        member.save(folder)
    return member


def gp_seconds(n: int) -> float:
    """Rough seconds for a Gaussian process of n molecules on one core: features, kernels among at most 4,000 landmarks, likelihood, the rest of the rows."""
    carried = min(n, 4000)
    return 10.0 + 0.006 * n + 50.0 * (carried / 4000) ** 2 + 0.02 * (n - carried)
