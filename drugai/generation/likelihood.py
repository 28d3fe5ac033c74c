"""What tuning may see of a generator: the loss on held-out molecules, and how many of its samples are valid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from drugai.errors import ConfigError
from drugai.generation.corpus import Corpus, encode_corpus
from drugai.generation.fitting import GeneratorConfig, fit_generator, share_readable
from drugai.generation.prior import Prior
from drugai.runtime import derive_seed

Report = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True, eq=False)
class LikelihoodScore:
    """Config → loss on the held-out molecules of a corpus [nat a token]; the same molecules are held out for every config.

    A likelihood that is good on average may still come with broken strings. ``validity`` makes that a constraint: a config whose samples are valid less often
    cannot win, whatever its loss.

    Attributes:
        corpus: Encoded molecules.
        held_out_seed: Chooses the held-out molecules and the starting weights.
        validity: Least share of valid samples in [0, 1] (0: no constraint).
        samples: How many are drawn to see that.
        direction: Less is better.
    """

    corpus: Corpus
    held_out_seed: int = 0
    validity: float = 0.0
    samples: int = 1000
    metric: str = "held-out loss [nat a token]"
    direction: str = "min"

    def __call__(
        self,
        config: GeneratorConfig,
        *,
        seed: int = 0,
        on_epoch: Report | None = None,
        constrain: Callable[[str, float], None] | None = None,
        on_model: Callable[[Prior], None] | None = None,
    ) -> float:
        """Train with ``config`` and return the best held-out loss. ``seed`` is not used: another seed would hold out other molecules."""
        prior = fit_generator(config, self.corpus, seed=self.held_out_seed, on_epoch=on_epoch)
        if self.validity and constrain is not None:
            constrain("validity", self.validity - share_readable(prior.sample(self.samples, derive_seed(self.held_out_seed, "validity"))))
        if on_model is not None:
            on_model(prior)
        return float(prior.record["history"]["best_score"])


def likelihood_score(smiles: Sequence[str], seed: int = 0, *, validity: float = 0.0, samples: int = 1000) -> LikelihoodScore:
    """The closure that ``tune`` minimizes for a generator.

    Args:
        smiles: The corpus.
        seed: Chooses the held-out molecules.
        validity: Least share of valid samples in [0, 1] (0: no constraint).
        samples: Drawn of each trained generator to see that.

    Raises:
        DatasetError: Fewer than 50 usable molecules.
        ConfigError: A validity that is no share.
    """
    if not 0 <= validity < 1 or samples < 1:
        raise ConfigError(f"validity is a share from 0 to below 1 and samples at least 1; got {validity}, {samples}")
    return LikelihoodScore(encode_corpus(smiles), seed, validity, samples)
