"""Fit the fusion: choose its weights on inner folds, regime by regime, then train the towers on everything known."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from drugai.config import Config, setting
from drugai.linking.calibration import QUANTILES, Bends, Calibration, calibrate
from drugai.linking.components import Memory, MemoryConfig
from drugai.linking.fusion import Question, choose_weights, fuse, mean_objective
from drugai.linking.protocol import Benchmark, View
from drugai.linking.towers import TowerConfig, Towers, disease_inputs, drug_inputs, fit_towers
from drugai.linking.views import Diseases, Drugs, Knowledge

logger = logging.getLogger(__name__)

FUSED = ("ridge", "towers", "terms", "best_term", "class_zero_shot", "letters", "knn_text", "knn_structure", "tfidf", "zero_shot", "popularity")
START: Mapping[str, float] = {"towers": 1.0, "knn_text": 0.5, "tfidf": 0.25}
"""The fixed weights that were measured before any tuning."""

PRIOR: Mapping[str, float] = {"ridge": 1.5, "towers": 1.0, "terms": 1.0, "class_zero_shot": 0.5, "letters": 0.25}
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
        slope, offset: Probability of a pair = logistic(slope × fused + offset + bends), fitted on the inner folds, drug asks.
        reverse_slope, reverse_offset: The same, disease asks.
        score: (MRR + AP) ÷ 2 on the inner folds.
        bends, reverse_bends: (score, change of the slope from there on); empty for a straight line.
    """

    weights: dict[str, float]
    reverse: dict[str, float]
    epochs: int
    slope: float = 1.0
    offset: float = 0.0
    score: float = float("nan")
    reverse_slope: float = 1.0
    reverse_offset: float = 0.0
    bends: Bends = ()
    reverse_bends: Bends = ()

    def probability(self, fused: np.ndarray, *, reverse: bool = False) -> np.ndarray:
        """Share of right pairs among pairs of such a fused score, in [0, 1]."""
        if reverse:
            return Calibration(self.reverse_slope, self.reverse_offset, self.reverse_bends).probability(fused)
        return Calibration(self.slope, self.offset, self.bends).probability(fused)


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
    only: set[str] | None = None,
) -> dict[str, np.ndarray]:
    """Every component on one view (or ``only`` some); ``labels`` in place of the known ones for a control."""
    known = knowledge_of(benchmark, view, drugs, diseases, labels=labels)
    rows = positions(view.asked_drugs, view.known_drugs), positions(view.asked_diseases, view.known_diseases)
    return Memory(known, config.memory).score(drugs.take(view.asked_drugs), diseases.take(view.asked_diseases), *rows, towers=towers, only=only)


def knowledge_of(benchmark: Benchmark, view: View, drugs: Drugs, diseases: Diseases, *, labels: np.ndarray | None = None) -> Knowledge:
    """What a view lets a model know; labels that are given in place of its own come without its trials."""
    known = benchmark.known_labels(view) if labels is None else labels
    trials = benchmark.known_trials(view) if labels is None else None
    return Knowledge(drugs.take(view.known_drugs), diseases.take(view.known_diseases), known, trials)


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
    x, z = drug_inputs(drugs, config), disease_inputs(diseases, config)

    def validate(towers: Towers) -> dict[str, float]:
        scores = towers.score(x[view.asked_drugs], z[view.asked_diseases])
        reverse = regime == "disease"
        total, count = mean_objective(*((part.T if reverse else part) for part in (scores, asked, candidates)))
        return {"score": total / max(1, count)}

    known = benchmark.known_labels(view) if labels is None else labels
    sources = benchmark.sources[np.ix_(view.known_drugs, view.known_diseases)]
    weights = known * np.maximum(sources, 1.0) ** config.weight_by_sources
    towers, history = fit_towers(
        x[view.known_drugs],
        z[view.known_diseases],
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


def fold_questions(benchmark: Benchmark, folds: Sequence[InnerFold], drugs: Drugs, diseases: Diseases, config: LinkerConfig) -> list[Question]:
    """Every component on every inner fold, with its labels."""
    return [Question(score_view(benchmark, fold.view, drugs, diseases, config, towers=fold.towers), *benchmark.asked(fold.view)) for fold in folds]


def choose_fusion(questions: Sequence[Question], steps: int, *, regime: str, names: Sequence[str] = FUSED) -> Fusion:
    """Weights both ways and the calibration, chosen on inner folds alone.

    Args:
        questions: Of the inner folds, drugs as rows.
        steps: Of the towers' training.
        regime: Which direction's score is reported.
        names: Components that may be used.
    """
    start = {name: weight for name, weight in PRIOR.items() if name in names}
    weights, forward = choose_weights(questions, names, start)
    turned = [question.transposed() for question in questions]
    reverse, backward = choose_weights(turned, names, start)
    score = backward if regime == "disease" else forward
    logger.info("regime %s: %s, inner score %.3f", regime, weights, score, extra={"fields": {"regime": regime, "score": score}})
    one, other = calibrate_questions(questions, weights), calibrate_questions(turned, reverse)
    return Fusion(weights, reverse, steps, one.slope, one.offset, score, other.slope, other.offset, one.bends, other.bends)


def calibrate_questions(questions: Sequence[Question], weights: Mapping[str, float], *, bends: Sequence[float] = QUANTILES) -> Calibration:
    """Probability of a pair by its fused score, fitted on the candidates of the inner folds."""
    scores = np.concatenate([fuse(question.components, weights)[question.candidates] for question in questions])
    labels = np.concatenate([question.labels[question.candidates] for question in questions])
    return calibrate(scores, labels, bends)


def fit_fusion(
    benchmark: Benchmark, regime: str, drugs: Drugs, diseases: Diseases, config: LinkerConfig, *, seed: int = 0, inner: Sequence[InnerFold] | None = None
) -> Fusion:
    """Weights of one regime, chosen on inner folds; ``inner`` saves training their towers again where only the memory differs."""
    folds = list(inner) if inner is not None else fit_inner_folds(benchmark, regime, drugs, diseases, config, seed=seed)
    return choose_fusion(fold_questions(benchmark, folds, drugs, diseases, config), mean_steps(folds), regime=regime)


def mean_steps(folds: Sequence[InnerFold]) -> int:
    """Steps that the inner folds kept, on average."""
    return max(1, round(float(np.mean([fold.steps for fold in folds]))))


def fit_final_towers(benchmark: Benchmark, view: View, drugs: Drugs, diseases: Diseases, config: LinkerConfig, epochs: int, *, seed: int) -> Towers:
    """Towers on everything known of a view, for as many steps as the inner folds kept."""
    loop = config.towers.loop.replace(epochs=max(1, epochs), patience=0)
    towers, _ = train_on_view(benchmark, view, drugs, diseases, config.towers.replace(loop=loop), seed=seed)
    return towers
