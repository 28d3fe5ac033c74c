"""Chemical language models: step by step equals all at once, padding changes nothing, eight molecules can be learnt by heart."""

from __future__ import annotations

import pytest
import torch

from drugai.errors import ConfigError
from drugai.models.language import LanguageConfig, build_language_model

CELLS = ("lstm", "gru", "transformer")


def small(cell: str, **changes: object) -> LanguageConfig:
    return LanguageConfig(cell=cell, layers=2, width=64, embedding=32, heads=4, context=64).replace(**changes)


@pytest.fixture(params=CELLS)
def model(request):
    torch.manual_seed(0)
    return build_language_model(small(request.param), 20).eval()


def test_one_token_at_a_time_gives_the_same_logits(model):
    tokens = torch.randint(3, 20, (5, 12), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        whole = model(tokens)
        state = model.start(5)
        for place in range(12):
            logits, state = model.step(tokens[:, place], state)
            torch.testing.assert_close(logits, whole[:, place], atol=1e-5, rtol=1e-4)


def test_selected_rows_go_on_as_if_alone(model):
    tokens = torch.randint(3, 20, (6, 5), generator=torch.Generator().manual_seed(2))
    keep = torch.tensor([4, 1])
    with torch.no_grad():
        state, alone = model.start(6), model.start(2)
        for place in range(3):
            _, state = model.step(tokens[:, place], state)
            _, alone = model.step(tokens[keep, place], alone)
        got, _ = model.step(tokens[keep, 3], model.select(state, keep))
        expected, _ = model.step(tokens[keep, 3], alone)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)


def test_no_token_sees_what_comes_after_it(model):
    tokens = torch.randint(3, 20, (3, 10), generator=torch.Generator().manual_seed(3))
    changed = tokens.clone()
    changed[:, 6:] = 5
    with torch.no_grad():
        torch.testing.assert_close(model(tokens)[:, :6], model(changed)[:, :6])


def test_batch_order_does_not_change_a_row(model):
    tokens = torch.randint(3, 20, (7, 9), generator=torch.Generator().manual_seed(4))
    order = torch.randperm(7, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        torch.testing.assert_close(model(tokens)[order], model(tokens[order]), atol=1e-5, rtol=1e-4)


def test_resizing_keeps_what_was_known(model):
    tokens = torch.randint(3, 20, (2, 6), generator=torch.Generator().manual_seed(6))
    with torch.no_grad():
        before = model(tokens)
        model.resize(23)
        after = model(tokens)
    assert after.shape == (2, 6, 23)
    torch.testing.assert_close(after[..., :20], before)
    with pytest.raises(ConfigError, match="only grows"):
        model.resize(5)


@pytest.mark.parametrize("cell", CELLS)
def test_eight_sequences_are_learnt_by_heart(cell):
    torch.manual_seed(0)
    model = build_language_model(small(cell), 20)
    tokens = torch.randint(3, 20, (8, 15), generator=torch.Generator().manual_seed(7))
    tokens[:, 0] = torch.arange(3, 11)  # the first token tells which of the eight it is
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(150):
        loss = torch.nn.functional.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.1


def test_a_molecule_longer_than_the_context_is_refused():
    model = build_language_model(small("transformer"), 20)
    with pytest.raises(ConfigError, match="context is 64"):
        model(torch.ones(1, 65, dtype=torch.long))


def test_width_must_be_shared_by_the_heads():
    with pytest.raises(ConfigError, match="multiple of heads"):
        build_language_model(small("transformer", heads=5), 20)


def test_the_default_prior_fits_into_ten_megabytes():
    parameters = sum(value.numel() for value in build_language_model(LanguageConfig(), 28).parameters())
    assert parameters * 2 <= 10e6


def test_a_training_step_and_a_sampling_step_run_on_the_meta_device(model):
    # a tensor that stayed on the CPU makes an operation on the meta device fail, as it would on a GPU
    model = model.to("meta")
    tokens = torch.zeros((4, 9), dtype=torch.long, device="meta")
    logits = model(tokens)
    assert logits.shape == (4, 9, 20)
    logits.float().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.device.type == "meta" for parameter in model.parameters())
    found, _ = model.step(tokens[:, 0], model.start(4))
    assert found.device.type == "meta"
