"""Fit the fusion: choose its weights on inner folds, regime by regime, then train the towers on everything known."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from drugai.config import Config, setting
from drugai.linking.components import Diseases, Drugs, Knowledge, MemoryConfig, score_components
from drugai.linking.fusion import Question, choose_weights, fuse, mean_objective
from drugai.linking.lexical import Lexicon
from drugai.linking.protocol import Benchmark, View
from drugai.linking.towers import TowerConfig, Towers, fit_towers

logger = logging.getLogger(__name__)

FUSED = ("knn_text", "knn_structure", "ridge", "towers", "tfidf", "zero_shot", "popularity")
START: Mapping[str, float] = {"towers": 1.0, "knn_text": 0.5, "tfidf": 0.25}
"""The fixed weights that were measured before any tuning."""

PRIOR: Mapping[str, float] = {"towers": 1.0, "knn_text": 0.5, "knn_structure": 0.25, "ridge": 1.0, "tfidf": 0.25}
"""Where the choice of weights begins; a weight is changed only where the inner folds gain by it."""


@dataclass(frozen=True)
class LinkerConfig(Config):
    """A linker: its towers, its memory and how they are fused."""

    towers: TowerConfig = field(default_factory=TowerConfig)
    memory: MemoryConfig = field(default_factory=MemoryConfig)
    view: str = setting("mechanism+class", choices=("mechanism", "class", "mechanism+class"), help="which text of a drug is learnt from")
    masked: bool = setting(True, help="take drug, disease and symptom names out of the texts that are learnt from")
    folds: int = setting(3, help="inner folds on which the fusion's weights are chosen")


@dataclass(frozen=True)
class Fusion:
    """What the inner folds chose for one regime.

    Attributes:
        weights: Component → weight, drug asks for diseases.
        reverse: The same, disease asks for drugs.
        epochs: Steps of the towers' training.
        slope, offset: Probability of a pair = logistic(slope × fused + offset), fitted on the inner folds, drug asks.
        score: (MRR + AP) ÷ 2 on the inner folds.
    """

    weights: dict[str, float]
    reverse: dict[str, float]
    epochs: int
    slope: float = 1.0
    offset: float = 0.0
    score: float = float("nan")


def positions(rows: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Where each of ``rows`` stands in ``known``, −1 where it does not."""
    place = {int(row): position for position, row in enumerate(known)}
    return np.array([place.get(int(row), -1) for row in rows], dtype=np.int64)


def score_view(
    benchmark: Benchmark,
    view: View,
    drugs: Drugs,
    diseases: Diseases,
    config: LinkerConfig,
    *,
    towers: Towers | None = None,
    labels: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Every component on one view; ``labels`` in place of the known ones for a control."""
    known = Knowledge(drugs.take(view.known_drugs), diseases.take(view.known_diseases), benchmark.known_labels(view) if labels is None else labels)
    return score_components(
        known,
        drugs.take(view.asked_drugs),
        diseases.take(view.asked_diseases),
        positions(view.asked_drugs, view.known_drugs),
        positions(view.asked_diseases, view.known_diseases),
        config.memory,
        towers=towers,
        lexicon=Lexicon([*known.drugs.texts, *known.diseases.texts]),
    )


def train_on_view(
    benchmark: Benchmark,
    view: View,
    drugs: Drugs,
    diseases: Diseases,
    config: TowerConfig,
    *,
    seed: int,
    regime: str | None = None,
    labels: np.ndarray | None = None,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
) -> tuple[Towers, int]:
    """Train towers on the known pairs of a view.

    Args:
        regime: Given, the asked pairs pick the step that is kept (a view of validation, never of test); None trains to the end.
        labels: In place of the known ones, for a control.

    Returns:
        Towers and the number of steps that were kept.
    """
    asked, candidates = benchmark.asked(view)

    def validate(towers: Towers) -> dict[str, float]:
        scores = towers.score(drugs.embeddings[view.asked_drugs], diseases.embeddings[view.asked_diseases])
        reverse = regime == "disease"
        total, count = mean_objective(*((part.T if reverse else part) for part in (scores, asked, candidates)))
        return {"score": total / max(1, count)}

    known = benchmark.known_labels(view) if labels is None else labels
    sources = benchmark.sources[np.ix_(view.known_drugs, view.known_diseases)]
    weights = known * np.maximum(sources, 1.0) ** config.weight_by_sources
    towers, history = fit_towers(
        drugs.embeddings[view.known_drugs],
        diseases.embeddings[view.known_diseases],
        weights,
        config,
        seed=seed,
        validate=validate if regime is not None else None,
        on_epoch=on_epoch,
    )
    return towers, (history.best_epoch + 1 if regime is not None else len(history.epochs))


@dataclass(frozen=True, eq=False)
class InnerFold:
    """One inner fold: its view, the towers trained on its known part, and the steps that were kept."""

    view: View
    towers: Towers
    steps: int


def fit_inner_folds(benchmark: Benchmark, regime: str, drugs: Drugs, diseases: Diseases, config: LinkerConfig, *, seed: int = 0) -> list[InnerFold]:
    """Towers of every inner fold over train and valid; test rows of the held-out side are not looked at."""
    views = benchmark.inner_views(regime, seed, config.folds)
    return [InnerFold(view, *train_on_view(benchmark, view, drugs, diseases, config.towers, seed=seed, regime=regime)) for view in views]


def fit_fusion(
    benchmark: Benchmark, regime: str, drugs: Drugs, diseases: Diseases, config: LinkerConfig, *, seed: int = 0, inner: Sequence[InnerFold] | None = None
) -> Fusion:
    """Weights of one regime, chosen on inner folds; ``inner`` saves training their towers again where only the memory differs."""
    folds = list(inner) if inner is not None else fit_inner_folds(benchmark, regime, drugs, diseases, config, seed=seed)
    questions = [Question(score_view(benchmark, fold.view, drugs, diseases, config, towers=fold.towers), *benchmark.asked(fold.view)) for fold in folds]
    weights, forward = choose_weights(questions, FUSED, PRIOR)
    reverse, backward = choose_weights([question.transposed() for question in questions], FUSED, PRIOR)
    slope, offset = _calibrate(questions, weights)
    score = backward if regime == "disease" else forward
    logger.info("regime %s: %s, inner score %.3f", regime, weights, score, extra={"fields": {"regime": regime, "score": score}})
    return Fusion(weights, reverse, max(1, round(float(np.mean([fold.steps for fold in folds])))), slope, offset, score)


def fit_final_towers(benchmark: Benchmark, view: View, drugs: Drugs, diseases: Diseases, config: LinkerConfig, epochs: int, *, seed: int) -> Towers:
    """Towers on everything known of a view, for as many steps as the inner folds kept."""
    loop = config.towers.loop.replace(epochs=max(1, epochs), patience=0)
    towers, _ = train_on_view(benchmark, view, drugs, diseases, config.towers.replace(loop=loop), seed=seed)
    return towers


def _calibrate(questions: list[Question], weights: Mapping[str, float]) -> tuple[float, float]:
    """Slope and offset of a logistic regression of the labels on the fused score (Platt scaling), by Newton's method."""
    scores = np.concatenate([fuse(question.components, weights)[question.candidates] for question in questions])
    labels = np.concatenate([question.labels[question.candidates] for question in questions]).astype(np.float64)
    design = np.stack([scores, np.ones_like(scores)], axis=1)
    parameters = np.array([1.0, -4.0])
    for _ in range(25):
        probability = 1 / (1 + np.exp(-np.clip(design @ parameters, -30, 30)))
        gradient = design.T @ (probability - labels) + 1e-3 * parameters
        curvature = (design * (probability * (1 - probability))[:, None]).T @ design + 1e-3 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        parameters = parameters - np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-6:
            break
    return float(parameters[0]), float(parameters[1])
