"""What a good molecule is: terms → desirability → weight → total; for screening and generation alike. Knows no models."""

from __future__ import annotations

from drugai.scoring.budget import Budgeted
from drugai.scoring.estimators import estimator_term
from drugai.scoring.external import external_term
from drugai.scoring.objectives import GUACAMOL_TASKS, OBJECTIVES, PMO_TASKS, objective, objective_term
from drugai.scoring.reading import TERMS, build_scorer, read_scorer
from drugai.scoring.scorer import TermScorer, mean_of, product_of
from drugai.scoring.terms import Term, function_term, no_alerts, predicted, property_term, qed, similar_to, substructure, synthesizable, within

__all__ = [
    "GUACAMOL_TASKS",
    "OBJECTIVES",
    "PMO_TASKS",
    "TERMS",
    "Budgeted",
    "Term",
    "TermScorer",
    "build_scorer",
    "estimator_term",
    "external_term",
    "function_term",
    "mean_of",
    "no_alerts",
    "objective",
    "objective_term",
    "predicted",
    "product_of",
    "property_term",
    "qed",
    "read_scorer",
    "similar_to",
    "substructure",
    "synthesizable",
    "within",
]
