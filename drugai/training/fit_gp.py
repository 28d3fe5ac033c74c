"""Fit Gaussian processes: hyper-parameters by marginal likelihood, classes by a logistic curve over leave-one-out values."""

from __future__ import annotations

import time

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from drugai.contracts import Dataset, Task
from drugai.predictors.gaussian_process import GPConfig, GPPredictor, KernelInputs, Process, covariance, kernel_inputs
from drugai.runtime import generator
from drugai.training.rows import check_trainable, origin, usable_rows

_CHUNK = 1024
_LEAST_NOISE = 1e-4  # of the standardized values; keeps the factorization stable where molecules repeat


def fit_gp(config: GPConfig, train: Dataset, valid: Dataset, *, seed: int = 0) -> GPPredictor:
    """Fit one process a task (one a class of a multiclass task).

    Args:
        config: Kernels and limits.
        train, valid: Parts of one data set. Nothing is chosen on ``valid``: the marginal likelihood of the training part decides everything.
        seed: Draws the landmarks and the molecules of the likelihood.
    """
    return _fit(config, train, valid, seed, None)[0]


def fit_gp_folds(config: GPConfig, data: Dataset, fold: np.ndarray, *, seed: int = 0) -> tuple[GPPredictor, np.ndarray]:
    """One fit on all molecules, and what the process says of each fold when it has not learnt that fold's values: no second fit, for they follow from the first.

    The hyper-parameters, and the landmarks' places, are those of the whole.

    Args:
        config: Kernels and limits.
        data: Measured molecules.
        fold: ``[n]`` fold of each row; those of unreadable or unlabelled rows are not looked at.
        seed: As of :func:`fit_gp`.

    Returns:
        The predictor, and ``[n, o]`` held-out outputs as ``predict_members`` gives them, NaN where a row has no value.
    """
    return _fit(config, data, None, seed, fold)


def _fit(config: GPConfig, train: Dataset, valid: Dataset | None, seed: int, fold: np.ndarray | None) -> tuple[GPPredictor, np.ndarray]:
    began = time.process_time()
    used = usable_rows(train, "train")
    check_trainable(train, used)
    own = None if fold is None else fold[used.rows]
    order = generator(seed, "gp", "order").permutation(len(used.batch))
    inputs, scales = kernel_inputs(used.batch, config)
    landmarks = order[: config.landmarks]
    columns = [(task, k) for task in train.tasks for k in (range(task.n_classes) if task.kind == "multiclass" else [-1])]
    marks = inputs.take(landmarks)
    among = marks.against(marks)  # [b + r, m, m]
    processes: list[Process] = []
    held = np.full((len(train), len(columns)), np.nan)
    for task, label in columns:
        values = used.y[:, train.tasks.index(task)].astype(np.float64)
        values = np.where(np.isnan(values), np.nan, values == label) if label >= 0 else values
        process, told = _fit_one(config, task, values, used.weights, inputs, landmarks, among, marks, own)
        held[used.rows, len(processes)] = told
        processes.append(process)
    record = {
        **origin(train, valid),
        "seed": seed,
        "hyperparameters": [[round(float(value), 5) for value in process.theta] for process in processes],
        "landmarks": len(landmarks),
        "left_out": used.left_out,
        "fit_cpu_seconds": round(time.process_time() - began, 2),
    }
    predictor = GPPredictor(train.tasks, config, marks, scales, processes, record)
    return predictor, predictor.decode(held)


def _fit_one(
    config: GPConfig,
    task: Task,
    values: np.ndarray,
    weights: np.ndarray | None,
    inputs: KernelInputs,
    landmarks: np.ndarray,
    among: np.ndarray,
    marks: KernelInputs,
    fold: np.ndarray | None,
) -> tuple[Process, np.ndarray]:
    """The process, and ``[n]`` standardized held-out values: of folds where there are some, else of single landmarks; NaN of rows without one."""
    known = ~np.isnan(values)
    center, spread = float(values[known].mean()), float(values[known].std()) or 1.0
    target = (values - center) / spread
    labelled = np.flatnonzero(known[landmarks])  # positions among the landmarks
    some = labelled[: config.likelihood_rows]
    theta = fit_hyperparameters(among[:, some][:, :, some], target[landmarks[some]], config, len(inputs.reals))
    noise = np.full(len(values), theta[-1]) if weights is None else theta[-1] / np.maximum(weights, 1e-6)
    told = np.full(len(values), np.nan)
    if known.sum() == len(labelled):
        rows, places = labelled, landmarks[labelled]
        alpha, inverse = _exact(covariance(among[:, labelled][:, :, labelled], theta), target[places], noise[places])
        if fold is None:
            told[places] = target[places] - alpha / np.diag(inverse)
        else:
            for part in _parts(fold[places]):
                told[places[part]] = target[places[part]] - np.linalg.solve(inverse[np.ix_(part, part)], alpha[part])
    else:
        rows = np.arange(len(landmarks))
        learnt = np.flatnonzero(known)
        factor, right, kept = _carried(inputs, learnt, target, noise, theta, among, marks, keep=fold is not None)
        alpha = cho_solve(factor, right)
        # what a linear smoother f = H y says of values that it does not know: y − (1 − H)⁻¹ (y − f), of the rows that are left out together
        if fold is None:
            places = landmarks[labelled]
            own = covariance(among[:, labelled], theta).astype(np.float64)
            leverage = np.einsum("nm,mn->n", own, cho_solve(factor, own.T)) / noise[places]
            told[places] = target[places] - (target[places] - own @ alpha) / np.maximum(1.0 - leverage, 1e-3)
        else:
            for part in _parts(fold[learnt]):
                places, own = learnt[part], kept[part].astype(np.float64)
                smoother = own @ cho_solve(factor, own.T) / noise[places]
                told[places] = target[places] - np.linalg.solve(np.eye(len(part)) * (1.0 + 1e-6) - smoother, target[places] - own @ alpha)
    known_of = ~np.isnan(told)
    slope, offset = (1.0, 0.0) if task.kind == "regression" else fit_logistic(told[known_of], values[known_of] > 0.5)
    few = labelled[: config.deviation_landmarks]
    system = covariance(among[:, few][:, :, few], theta).astype(np.float64) + np.diag(noise[landmarks[few]] + 1e-6)
    return Process(rows, alpha, theta, center, spread, slope, offset, few, np.linalg.cholesky(system).astype(np.float32)), told


def _parts(fold: np.ndarray) -> list[np.ndarray]:
    return [np.flatnonzero(fold == number) for number in np.unique(fold)]


def _exact(kernel: np.ndarray, target: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights, and the inverse, from which what is held out follows (Rasmussen and Williams, equation 5.12, and its blocks)."""
    factor = cho_factor(kernel.astype(np.float64) + np.diag(noise + 1e-6), lower=True, overwrite_a=True)
    return cho_solve(factor, target), cho_solve(factor, np.eye(len(target)))


def _carried(
    inputs: KernelInputs, rows: np.ndarray, target: np.ndarray, noise: np.ndarray, theta: np.ndarray, among: np.ndarray, marks: KernelInputs, keep: bool
) -> tuple[tuple[np.ndarray, bool], np.ndarray, np.ndarray]:
    """Subset of regressors: the factor of ``A = K + Σ k kᵀ ÷ noise`` and ``Σ k y ÷ noise`` over all ``rows``, ``[m, m]`` and ``[m]``; and, to ``keep``, the k as ``[rows, m]`` float32."""
    system = covariance(among, theta).astype(np.float64)
    system[np.diag_indices(len(system))] += 1e-4
    right = np.zeros(len(system))
    kept = np.empty((len(rows) if keep else 0, len(system)), dtype=np.float32)
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        cross = covariance(inputs.take(part).against(marks), theta).astype(np.float64)
        scaled = cross / noise[part, None]
        system += scaled.T @ cross
        right += scaled.T @ target[part]
        if keep:
            kept[start : start + _CHUNK] = cross
    factor: tuple[np.ndarray, bool] = cho_factor(system, lower=True, overwrite_a=True)
    return factor, right, kept


def fit_hyperparameters(kernels: np.ndarray, target: np.ndarray, config: GPConfig, reals: int = 1) -> np.ndarray:
    """Maximize the marginal likelihood with a weak prior.

    Args:
        kernels: ``[b + r, n, n]`` as :meth:`KernelInputs.against` gives them.
        target: ``[n]`` standardized values.
        config: Steps and prior.
        reals: r, how many of the kernels are distances.

    Returns:
        ``[b + 2 r + 1]``: weights of the b counts, amplitude and squared length of each Gaussian, noise variance.
    """
    parts = kernels.astype(np.float64)
    b, n = len(parts) - reals, len(target)
    middle = np.log(0.3)
    eye = np.eye(n)

    def objective(log_theta: np.ndarray) -> tuple[float, np.ndarray]:
        theta = np.exp(log_theta)
        bells = [theta[b + 2 * k] * np.exp(-parts[b + k] / theta[b + 2 * k + 1]) for k in range(reals)]
        system = np.tensordot(theta[:b], parts[:b], axes=1) + sum(bells) + (theta[-1] + _LEAST_NOISE) * eye
        factor = cho_factor(system, lower=True)
        alpha = cho_solve(factor, target)
        value = 0.5 * target @ alpha + np.log(np.diag(factor[0])).sum() + 0.5 * (((log_theta - middle) / config.prior) ** 2).sum()
        slope = 0.5 * (cho_solve(factor, eye) - np.outer(alpha, alpha))  # derivative by the covariance
        pieces = [theta[k] * np.vdot(slope, parts[k]) for k in range(b)]
        for k, bell in enumerate(bells):
            pieces += [np.vdot(slope, bell), np.vdot(slope, bell * parts[b + k]) / theta[b + 2 * k + 1]]
        pieces.append(theta[-1] * np.trace(slope))
        return float(value), np.array(pieces) + (log_theta - middle) / config.prior**2

    start = np.log(np.array([0.3] * b + [0.5, 1.0] * reals + [0.2]))
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=[(np.log(1e-4), np.log(1e3))] * len(start), options={"maxiter": config.steps})
    theta = np.exp(found.x)
    theta[-1] += _LEAST_NOISE
    return np.asarray(theta)


def fit_logistic(values: np.ndarray, positive: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the logistic curve through leave-one-out values ``[n]`` and classes ``[n]``, with Platt's smoothed targets.

    Source: Platt, Advances in Large Margin Classifiers 1999, 61.
    """
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    target = np.where(positive, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))

    def objective(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        z = parameters[0] * values + parameters[1]
        probability = 1 / (1 + np.exp(-np.clip(z, -500, 500)))
        loss = np.logaddexp(0, z) - target * z
        return float(loss.sum()), np.array([(values * (probability - target)).sum(), (probability - target).sum()])

    found = minimize(objective, np.array([1.0, np.log((n_positive + 1) / (n_negative + 1))]), jac=True, method="BFGS")
    return float(found.x[0]), float(found.x[1])
