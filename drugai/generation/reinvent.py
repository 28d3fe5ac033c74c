"""Steer a prior towards a scorer: REINVENT's loss, the best molecules replayed in random spellings, and genetic proposals beside the model's own.

Source: Olivecrona et al., REINVENT, J. Cheminform. 2017, 9, 48, 10.1186/s13321-017-0235-x; Guo and Schwaller, Augmented Memory, JACS Au 2024, 4, 2160, 10.1021/jacsau.4c00066;
Kim et al., Genetic-guided GFlowNets, arXiv:2402.05961 (genetic proposals in the replay memory).
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from drugai.config import Config, setting, tunable
from drugai.contracts import Scores
from drugai.errors import ConfigError
from drugai.generation.corpus import padded
from drugai.generation.fitting import thread_count
from drugai.generation.genetic import GeneticConfig
from drugai.generation.memory import Memory, ScaffoldFilter
from drugai.generation.optimization import GeneticProposer
from drugai.generation.prior import Prior, token_losses
from drugai.runtime import available_cpus, derive_seed
from drugai.training.loop import pick_device

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReinventConfig(Config):
    """How hard a prior is steered."""

    batch: int = tunable(64, 16, 512, log=True, help="molecules proposed a step")
    sigma: float = tunable(500.0, 30.0, 2000.0, log=True, help="how much a score of 1 is worth in log-likelihood")
    learning_rate: float = tunable(5e-4, 5e-5, 2e-3, log=True, help="rate of Adam")
    memory: int = tunable(100, 10, 1000, log=True, help="best molecules kept for replay (0: none)")
    rounds: int = tunable(2, 0, 10, help="updates a step on the memory in random spellings")
    bucket: int = setting(25, help="good molecules of a Murcko scaffold after which it is rewarded no more (0: no limit)")
    least: float = setting(0.4, help="score from which a molecule counts for its scaffold's bucket")
    temperature: float = tunable(1.0, 0.7, 1.5, help="of the agent's samples")
    share: float = tunable(0.5, 0.0, 0.95, help="share of genetic proposals (hybrid)")
    gradient_clip: float = setting(0.0, help="largest norm of the gradient (0: none; Adam does not see the scale)")
    threads: int = setting(0, help="processor threads (0: all that this process may use)")
    device: str = setting("auto", help="auto, cpu, cuda …")
    genetic: GeneticConfig = field(default_factory=GeneticConfig)


class ReinventProposer:
    """The agent, a copy of the prior that learns, with its memory and the scaffold filter.

    Args:
        prior: Where the agent starts; it stays as it is.
        config: How to steer.
        seed: Of samples and spellings.
        genetic: Whether a part of the proposals is bred from the best molecules.
        agent: Where the agent starts instead, of the same vocabulary.
    """

    def __init__(self, prior: Prior, config: ReinventConfig, seed: int, *, genetic: bool = False, agent: Prior | None = None) -> None:
        self.config, self.seed = config, seed
        device = pick_device(config.device)
        self.prior = Prior(prior.config, prior.vocabulary, copy.deepcopy(prior.model).to(device).eval())
        begun = agent or prior
        if (begun.config, begun.vocabulary.tokens) != (prior.config, prior.vocabulary.tokens):
            raise ConfigError("the agent has another shape or vocabulary than the prior; steer the prior that it was made from")
        self.agent = Prior(prior.config, prior.vocabulary, copy.deepcopy(begun.model).to(device).eval(), dict(prior.record))
        self.memory = Memory(config.memory)
        self.diversity = ScaffoldFilter(config.bucket, config.least)
        bred = round(config.batch * config.share) if genetic else 0
        self.breeder = GeneticProposer(config.genetic.replace(offspring=bred), seed, None) if bred else None
        self._optimizer = torch.optim.Adam(self.agent.model.parameters(), lr=config.learning_rate)
        self._n_sampled = 0

    def propose(self, step: int) -> list[tuple[str, str]]:
        """The agent's samples, and after them the children."""
        children = self.breeder.propose(step) if self.breeder is not None else []
        self._n_sampled = self.config.batch - len(children)
        with thread_count(self.config.threads or available_cpus()):
            written = self.agent.sample(self._n_sampled, derive_seed(self.seed, "agent", step), temperature=self.config.temperature)
        return [*((smi, "sample") for smi in written), *children]

    def learn(self, written: Sequence[str], canonical: Sequence[str], scored: Scores, step: int) -> None:
        """One update on what the agent wrote, then the rounds of replay. Molecules that it did not write are learnt from the memory alone."""
        scores, scaffolds = self.diversity.score(canonical, scored.total)
        self.memory.add(canonical, scores, scaffolds)
        self.memory.purge(self.diversity)
        if self.breeder is not None:
            self.breeder.learn(written, canonical, replace(scored, total=scores), step)
        with thread_count(self.config.threads or available_cpus()):
            n = self._n_sampled
            if n:
                replayed, worth = self.memory.spelled(derive_seed(self.seed, "replay", step))
                self._update([*written[:n], *replayed], np.concatenate([scores[:n], worth]))
            for number in range(self.config.rounds):
                self._update(*self.memory.spelled(derive_seed(self.seed, "spelling", step, number)))
        self.agent.forget_copy()

    def finish(self, folder: Path) -> None:
        """Save the agent, a prior like any other."""
        self.agent.save(folder / "agent")

    def _update(self, smiles: Sequence[str], scores: np.ndarray) -> float:
        """One step of Adam; the loss, NaN where none of the molecules can be spelled."""
        encoded = self.agent.vocabulary.encode_many(smiles)
        rows = np.flatnonzero(encoded.lengths > 0)
        if not len(rows):
            return math.nan
        device = self.agent.model.head.weight.device
        tokens = torch.from_numpy(padded(encoded.flat, encoded.offsets, rows)).to(device)
        limit = self.agent.model.longest
        if limit is not None and tokens.shape[1] > limit:
            fits = (tokens[:, limit:] == 0).all(1)
            tokens, rows = tokens[fits][:, :limit], rows[fits.cpu().numpy()]
            if not len(rows):
                return math.nan
        loss = reinvent_loss(self.prior, self.agent, tokens, torch.from_numpy(scores[rows]).float().to(device), self.config.sigma)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.config.gradient_clip:
            torch.nn.utils.clip_grad_norm_(self.agent.model.parameters(), self.config.gradient_clip)
        self._optimizer.step()
        return float(loss.detach())


def reinvent_loss(prior: Prior, agent: Prior, tokens: torch.Tensor, scores: torch.Tensor, sigma: float) -> torch.Tensor:
    """Mean over molecules of (log P_prior + σ S − log P_agent)².

    Args:
        prior: Gives log P_prior, without gradient.
        agent: Gives log P_agent.
        tokens: ``[B, 1 + T]`` with ``<bos>`` first.
        scores: ``[B]`` in [0, 1].
        sigma: Worth of a score of 1 [nat].
    """
    with torch.no_grad():
        target = sigma * scores - token_losses(prior.model, tokens).sum(1)  # [B]
    return ((target + token_losses(agent.model, tokens).sum(1)) ** 2).mean()
