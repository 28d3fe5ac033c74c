"""The towers: what they start from, what they can learn, what gives no gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from drugai.linking.towers import TowerConfig, Towers, fit_towers, link_loss
from drugai.training.loop import LoopConfig

CONFIG = TowerConfig(width=16, hidden=32, dropout=0.1, loop=LoopConfig(epochs=80, learning_rate=1e-2, precision="fp32", device="cpu"))


def vectors(n: int, seed: int) -> np.ndarray:
    found = np.random.default_rng(seed).standard_normal((n, 24)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.mark.parametrize("loss", ["infonce", "sigmoid", "margin"])
def test_towers_overfit_twelve_pairs(loss: str):
    towers, _ = fit_towers(vectors(12, 0), vectors(12, 1), np.eye(12), CONFIG.replace(loss=loss), seed=0)
    assert (towers.score(vectors(12, 0), vectors(12, 1)).argmax(1) == np.arange(12)).mean() > 0.9


def test_the_same_seed_gives_the_same_towers():
    short = CONFIG.replace(**{"loop.epochs": 3})
    first, second = (fit_towers(vectors(6, 0), vectors(6, 1), np.eye(6), short, seed=4)[0].score(vectors(6, 0), vectors(6, 1)) for _ in range(2))
    assert np.array_equal(first, second)


def test_rows_without_a_known_pair_give_no_gradient_as_queries():
    logits = torch.randn(3, 4, requires_grad=True)
    known = torch.zeros(3, 4)
    known[0, 1] = 1.0
    link_loss(logits, known, "infonce", torch.tensor(0.0)).backward()
    # only row 0 and column 1 ask; the corner elsewhere is touched by neither
    assert torch.all(logits.grad[1:, [0, 2, 3]] == 0)


def test_infonce_of_equal_logits_is_the_logarithm_of_the_candidates():
    known = torch.eye(4)
    assert link_loss(torch.zeros(4, 4), known, "infonce", torch.tensor(0.0)).item() == pytest.approx(np.log(4))


def test_batch_size_does_not_change_a_row():
    towers = Towers(24, CONFIG)
    towers.drug.components.copy_(torch.eye(24)[:, :16])
    x = vectors(9, 2)
    assert np.allclose(towers.embed_drugs(x)[3:4], towers.embed_drugs(x[3:4]), atol=1e-5)


def test_hard_negatives_leave_the_easy_ones_out_of_the_softmax():
    known = torch.eye(3, 5)
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0, -2.0]] * 3, requires_grad=True)
    link_loss(logits, known, "infonce", torch.tensor(0.0), hard=1).backward()
    # in row 0 the positive is column 0 and the hardest negative column 1; the rest of that row is out of its softmax, and columns 3, 4 ask nothing
    assert torch.all(logits.grad[0, 3:] == 0)
    assert logits.grad[0, 1] != 0


def test_the_structure_branch_changes_a_row_only_where_a_structure_is_known():
    config = CONFIG.replace(structure=0.5)
    towers = Towers(24, config)
    towers.drug.components.copy_(torch.eye(24)[:, :16])
    text, bits = vectors(2, 3), np.zeros((2, 2048), dtype=np.float32)
    bits[1, :40] = 1
    plain = Towers(24, CONFIG)
    plain.load_state_dict({name: value for name, value in towers.state_dict().items() if "branch" not in name})
    with_bits = towers.embed_drugs(np.concatenate([text, bits], axis=1))
    assert np.allclose(with_bits[0], plain.embed_drugs(text)[0], atol=1e-5)
    assert not np.allclose(with_bits[1], plain.embed_drugs(text)[1], atol=1e-2)
