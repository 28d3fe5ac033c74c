"""Config of the automatic combination; what it gives is an ensemble (``drugai.training.fit_auto`` fits it)."""

from __future__ import annotations

from dataclasses import dataclass, field

from drugai.config import Config, setting
from drugai.errors import ConfigError
from drugai.predictors.ensemble import hybrid_config
from drugai.predictors.gaussian_process import GPConfig
from drugai.predictors.gnn import GNNConfig
from drugai.predictors.language import LMConfig
from drugai.predictors.learned_features import ENCODER, GRAPHS
from drugai.predictors.trees import TreesConfig

KINDS = ("trees", "gp", "fragments", "embedded", "lm", "hybrid", "gnn")
NETWORKS = ("hybrid", "gnn")
"""Kinds that take as much time as they are given."""


def fragments_config() -> TreesConfig:
    """Boosters on other blocks than those of ``trees``, quicker to compute: what differs is worth more in a mixture."""
    return TreesConfig(blocks=("morgan", "atom_pair", "feature_morgan", "erg", "cheap_descriptors"), members=1, learning_rate=0.05)


def embedded_config() -> TreesConfig:
    """As ``fragments``, with what the shipped graph encoder has learnt beside: better on some sets and worse on others, which the folds tell apart."""
    return fragments_config().replace(blocks=(*fragments_config().blocks, ENCODER + GRAPHS))


def process_config() -> GPConfig:
    """A Gaussian process that also compares what the shipped graph encoder has learnt."""
    return GPConfig(encoders=(GRAPHS,))


def pretrained_network() -> GNNConfig:
    """A graph network that starts from the shipped encoder; ``hybrid`` starts from random weights, and so errs elsewhere."""
    return GNNConfig(encoder=GRAPHS)


def one_a_fold() -> TreesConfig:
    """Boosted trees, one set a fold: their mean makes up for the larger steps."""
    return TreesConfig(members=1, learning_rate=0.05)


def language_config() -> LMConfig:
    """A head on the shipped encoder, which itself stays as it is: seconds, where fine-tuning takes minutes."""
    return LMConfig(encoder="encoder_small", mode="frozen", patience=10)


@dataclass(frozen=True)
class AutoConfig(Config):
    """Predictors of several kinds, each fitted over folds, one kind after another for as long as the time lasts, then weighed by what they said of the folds they had not seen."""

    kind = "auto"

    minutes: float = setting(10.0, help="time for all fits; a network that has begun is annealed to end in time")
    candidates: tuple[str, ...] = setting(KINDS, help="kinds to try, in this order; when all have been tried, the best again with other seeds")
    folds: int = setting(5, help="folds; of each kind one model is fitted without each fold, and their mean is the member (a Gaussian process is one fit)")
    whole: bool = setting(True, help="learn from the validation part too; scores and intervals then rest on what the folds held out. False: the validation part stays unseen")
    most: int = setting(8, help="most members")
    least_weight: float = setting(0.05, help="a member with less weight is left out")
    scale: str = setting("auto", choices=("auto", "linear", "log10", "percent"), help="of regressions; auto: log10 where values are positive and far more even in decades than in units, percent (the logit) of shares in %")
    trees: TreesConfig = field(default_factory=one_a_fold)
    gp: GPConfig = field(default_factory=process_config)
    fragments: TreesConfig = field(default_factory=fragments_config)
    embedded: TreesConfig = field(default_factory=embedded_config)
    lm: LMConfig = field(default_factory=language_config)
    hybrid: GNNConfig = field(default_factory=hybrid_config)
    gnn: GNNConfig = field(default_factory=pretrained_network)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.candidates or not set(self.candidates) <= set(KINDS) or len(set(self.candidates)) != len(self.candidates):
            raise ConfigError(f"AutoConfig.candidates: got {list(self.candidates)}; name some of {', '.join(KINDS)}, each once")
        if not self.minutes > 0 or self.folds < 2 or self.most < 1 or not 0 <= self.least_weight < 0.5:
            asked = f"{self.minutes}, {self.folds}, {self.most}, {self.least_weight}"
            raise ConfigError(f"AutoConfig: minutes must be above 0, folds at least 2, most at least 1 and least_weight in [0, 0.5); got {asked}")
