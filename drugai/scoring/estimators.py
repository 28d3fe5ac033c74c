"""A scikit-learn model, or anything with its ``predict``, as a term of a score."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from drugai.errors import ConfigError
from drugai.molecules import MoleculeBatch, fingerprint
from drugai.scoring.terms import Term, Values
from drugai.scoring.transforms import Identity, Ramp, Transform


def estimator_term(
    model: Any,
    name: str = "",
    *,
    low: float | None = None,
    high: float | None = None,
    direction: str = "max",
    features: Callable[[MoleculeBatch], np.ndarray] | None = None,
    transform: Transform | None = None,
    weight: float = 1.0,
) -> Term:
    """A fitted scikit-learn model as a term.

    Args:
        model: A classifier of two classes (its probability of the second counts) or a regressor.
        name: Of the term; the model's class by default.
        low, high: Ends of the ramp in the unit of what the regressor predicts; a classifier needs none.
        direction: ``max`` if more is better, ``min`` if less is.
        features: Batch → ``[n, d]`` as the model was fitted on; Morgan bits (radius 2, 2,048) by default.
        transform: In place of the ramp.
        weight: Of the term.

    Raises:
        ConfigError: The model predicts nothing, a regressor has no ends, or a classifier has not two classes.
    """
    name = name or type(model).__name__
    classifier = hasattr(model, "predict_proba")
    if not classifier and not hasattr(model, "predict"):
        raise ConfigError(f"term {name!r}: {type(model).__name__} has neither predict_proba nor predict; pass a fitted scikit-learn model")
    if classifier and len(getattr(model, "classes_", (0, 1))) != 2:
        raise ConfigError(f"term {name!r}: the classifier knows {len(model.classes_)} classes; a score needs two, the second of which is wanted")
    if transform is None and (low is None or high is None):
        if not classifier:
            raise ConfigError(f"term {name!r}: a regressor needs low and high, the ends between which its predictions count from 0 to 1, and direction")
        low, high = 0.0, 1.0
    if transform is None:
        assert low is not None
        assert high is not None
        transform = Identity() if (classifier and (low, high, direction) == (0.0, 1.0, "max")) else Ramp(low, high, direction)
    describe = features or (lambda batch: fingerprint(batch, "morgan", bits=2048, radius=2))

    def function(batch: MoleculeBatch) -> Values:
        described = describe(batch)
        found = model.predict_proba(described)[:, 1] if classifier else model.predict(described)
        return np.asarray(found, dtype=float).reshape(len(batch)), [""] * len(batch)

    return Term(name, function, transform, weight, cost=1000.0)
