"""What tuning may see of a generator: the loss on held-out molecules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from drugai.generation.corpus import Corpus, encode_corpus
from drugai.generation.fitting import GeneratorConfig, fit_generator

Report = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True, eq=False)
class LikelihoodScore:
    """Config → loss on the held-out molecules of a corpus [nat a token]; the same molecules are held out for every config.

    Attributes:
        corpus: Encoded molecules.
        held_out_seed: Chooses the held-out molecules and the starting weights.
        direction: Less is better.
    """

    corpus: Corpus
    held_out_seed: int = 0
    metric: str = "held-out loss [nat a token]"
    direction: str = "min"

    def __call__(self, config: GeneratorConfig, *, seed: int = 0, on_epoch: Report | None = None) -> float:
        """Train with ``config`` and return the best held-out loss. ``seed`` is not used: another seed would hold out other molecules."""
        prior = fit_generator(config, self.corpus, seed=self.held_out_seed, on_epoch=on_epoch)
        return float(prior.record["history"]["best_score"])


def likelihood_score(smiles: Sequence[str], seed: int = 0) -> LikelihoodScore:
    """The closure that ``tune`` minimizes for a generator.

    Raises:
        DatasetError: Fewer than 50 usable molecules.
    """
    return LikelihoodScore(encode_corpus(smiles), seed)
