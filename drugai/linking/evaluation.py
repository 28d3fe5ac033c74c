"""How well a fusion ranks what it has not seen: every component beside it, with intervals over queries."""

from __future__ import annotations

from drugai.linking.encoding import encode_diseases, encode_drugs
from drugai.linking.fitting import LinkerConfig, fit_final_towers, fit_fusion, score_view
from drugai.linking.fusion import fuse
from drugai.linking.protocol import Benchmark
from drugai.metrics.property import Estimate
from drugai.metrics.retrieval import estimate_mean, per_query
from drugai.models.text import TextEncoder


def evaluate_regime(
    benchmark: Benchmark, regime: str, config: LinkerConfig | None = None, *, seed: int = 0, encoder: TextEncoder | None = None
) -> dict[str, dict[str, Estimate]]:
    """Fit on train and valid, rank test.

    Args:
        benchmark: Labels and parts.
        regime: ``drug`` and ``both`` (a drug asks) or ``disease`` (a disease asks).
        config: Of the linker.
        seed: Of the split and the training.
        encoder: Of texts.

    Returns:
        Method → metric → mean over queries with its 95 % interval; ``fusion`` last.
    """
    config, encoder = config or LinkerConfig(), encoder or TextEncoder()
    drugs = encode_drugs(benchmark.tables.drugs, encoder, view=config.view)
    diseases = encode_diseases(benchmark.tables.diseases, encoder)
    fusion = fit_fusion(benchmark, regime, drugs, diseases, config, seed=seed)
    view = benchmark.test_view(regime, seed)
    towers = fit_final_towers(benchmark, view, drugs, diseases, config, fusion.epochs, seed=seed)
    components = score_view(benchmark, view, drugs, diseases, config, towers=towers)
    labels, candidates = benchmark.asked(view)
    weights = fusion.weights
    if regime == "disease":
        components = {name: matrix.T for name, matrix in components.items()}
        labels, candidates, weights = labels.T, candidates.T, fusion.reverse
    scores = {**components, "fusion": fuse(components, weights)}
    return {name: {metric: estimate_mean(values) for metric, values in per_query(matrix, labels, candidates, seed).items()} for name, matrix in scores.items()}
