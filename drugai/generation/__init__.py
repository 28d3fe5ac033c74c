"""New molecules: chemical language models, trained, sampled, fine-tuned and steered. Names load when they are first used, so that torch is not imported before."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drugai.generation.constrained import Constrained as Constrained
    from drugai.generation.constrained import decorate as decorate
    from drugai.generation.constrained import link as link
    from drugai.generation.constrained import regrow as regrow
    from drugai.generation.corpus import Corpus as Corpus
    from drugai.generation.corpus import encode_corpus as encode_corpus
    from drugai.generation.evaluation import Reference as Reference
    from drugai.generation.evaluation import evaluate_samples as evaluate_samples
    from drugai.generation.finetune import FineTuneConfig as FineTuneConfig
    from drugai.generation.finetune import FineTuneReport as FineTuneReport
    from drugai.generation.finetune import fine_tune as fine_tune
    from drugai.generation.fitting import GeneratorConfig as GeneratorConfig
    from drugai.generation.fitting import fit_generator as fit_generator
    from drugai.generation.genetic import GeneticConfig as GeneticConfig
    from drugai.generation.lead import LeadRun as LeadRun
    from drugai.generation.lead import optimize_lead as optimize_lead
    from drugai.generation.loading import load_generator as load_generator
    from drugai.generation.loading import shipped_generators as shipped_generators
    from drugai.generation.neighbours import edit_around as edit_around
    from drugai.generation.neighbours import edit_linker as edit_linker
    from drugai.generation.neighbours import edit_scaffold as edit_scaffold
    from drugai.generation.optimization import Optimization as Optimization
    from drugai.generation.optimization import optimize as optimize
    from drugai.generation.pareto import pareto_front as pareto_front
    from drugai.generation.prior import Prior as Prior
    from drugai.generation.reinvent import ReinventConfig as ReinventConfig
    from drugai.generation.stages import Stage as Stage
    from drugai.generation.stages import optimize_stages as optimize_stages
    from drugai.generation.stages import read_stages as read_stages

_HOMES = {
    "pareto_front": "pareto",
    "read_stages": "stages",
    "optimize_stages": "stages",
    "Stage": "stages",
    "optimize_lead": "lead",
    "LeadRun": "lead",
    "Constrained": "constrained",
    "decorate": "constrained",
    "link": "constrained",
    "regrow": "constrained",
    "Corpus": "corpus",
    "encode_corpus": "corpus",
    "Reference": "evaluation",
    "evaluate_samples": "evaluation",
    "FineTuneConfig": "finetune",
    "FineTuneReport": "finetune",
    "fine_tune": "finetune",
    "GeneratorConfig": "fitting",
    "fit_generator": "fitting",
    "GeneticConfig": "genetic",
    "load_generator": "loading",
    "shipped_generators": "loading",
    "edit_around": "neighbours",
    "edit_linker": "neighbours",
    "edit_scaffold": "neighbours",
    "Optimization": "optimization",
    "optimize": "optimization",
    "Prior": "prior",
    "ReinventConfig": "reinvent",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'drugai.generation' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"drugai.generation.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
