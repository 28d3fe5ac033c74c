import itertools
import math

import pytest
import torch

from drugai.errors import ArtifactError, ConfigError
from drugai.training.loop import CHECKPOINT, LoopConfig, pick_device, run_loop, schedule_rate

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here"))]


def problem(device="cpu"):
    """A line with noise and a small network with dropout, so that the random generator's state matters."""
    torch.manual_seed(0)
    x = torch.randn(64, 4)
    y = (x.sum(1, keepdim=True) + 0.1 * torch.randn(64, 1)).to(device)
    x = x.to(device)
    net = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Dropout(0.2), torch.nn.ReLU(), torch.nn.Linear(16, 1)).to(device)

    def batches(epoch):
        order = torch.randperm(64, generator=torch.Generator().manual_seed(epoch))
        return [(x[order[i : i + 16]], y[order[i : i + 16]]) for i in range(0, 64, 16)]

    def loss(batch):
        return ((net(batch[0]) - batch[1]) ** 2).mean()

    return net, batches, loss, lambda: {"loss": float(((net(x) - y) ** 2).mean())}


def weights(net):
    return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])


@pytest.mark.parametrize("device", DEVICES)
def test_the_same_seed_gives_the_same_weights_and_the_global_generator_is_left_alone(device):
    found = []
    for _ in range(2):
        net, batches, loss, validate = problem(device)
        torch.manual_seed(99)
        before = torch.get_rng_state()
        run_loop(net, batches, loss, LoopConfig(epochs=5, learning_rate=0.01, device=device), validate=validate, steps_per_epoch=4)
        assert torch.equal(torch.get_rng_state(), before)
        found.append(weights(net))
    assert torch.equal(found[0], found[1])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("average", [0.0, 0.9])
@pytest.mark.parametrize("stop_at", [3, 4, 10])
def test_a_run_that_is_stopped_and_resumed_equals_a_straight_one(tmp_path, stop_at, average, device):
    config = LoopConfig(epochs=6, learning_rate=0.01, average=average, device=device, precision="fp32")
    net, batches, loss, validate = problem(device)
    straight = run_loop(net, batches, loss, config, validate=validate, steps_per_epoch=4)
    expected = weights(net)
    net, batches, loss, validate = problem(device)
    steps = iter(range(1000))
    first = run_loop(net, batches, loss, config, validate=validate, steps_per_epoch=4, checkpoint=tmp_path, should_stop=lambda: next(steps) >= stop_at)
    assert first.stopped == "asked"
    assert (tmp_path / CHECKPOINT).is_file()
    net, batches, loss, validate = problem(device)
    history = run_loop(net, batches, loss, config, validate=validate, steps_per_epoch=4, checkpoint=tmp_path)
    assert torch.equal(weights(net), expected)
    assert history.epochs == straight.epochs
    assert not (tmp_path / CHECKPOINT).exists()


def test_a_checkpoint_of_another_configuration_or_network_is_refused(tmp_path):
    net, batches, loss, validate = problem()
    run_loop(net, batches, loss, LoopConfig(epochs=3), checkpoint=tmp_path, should_stop=lambda: True)
    with pytest.raises(ArtifactError, match="another training configuration"):
        run_loop(net, batches, loss, LoopConfig(epochs=4), checkpoint=tmp_path)
    other = torch.nn.Linear(4, 1)
    with pytest.raises(ArtifactError, match="another network"):
        run_loop(other, batches, lambda batch: other(batch[0]).mean(), LoopConfig(epochs=3), checkpoint=tmp_path)


def test_the_best_epoch_is_kept_and_patience_ends_the_run():
    net, batches, loss, _ = problem()
    scores = iter([3.0, 1.0, 2.0, 2.0, 2.0, 2.0])
    seen = []

    def validate():
        seen.append(weights(net).clone())
        return {"loss": next(scores)}

    history = run_loop(net, batches, loss, LoopConfig(epochs=6, patience=3, learning_rate=0.01), validate=validate)
    assert history.best_epoch == 1
    assert history.stopped == "patience"
    assert len(history.epochs) == 5
    assert torch.equal(weights(net), seen[1])


def test_what_on_epoch_raises_ends_the_run():
    net, batches, loss, validate = problem()

    def prune(epoch, _scores):
        if epoch == 1:
            raise KeyError("pruned")

    with pytest.raises(KeyError):
        run_loop(net, batches, loss, LoopConfig(epochs=6), validate=validate, on_epoch=prune)


def test_a_loss_that_is_not_a_number_is_an_error():
    net, batches, _, _ = problem()
    with pytest.raises(ConfigError, match="learning_rate"):
        run_loop(net, batches, lambda batch: net(batch[0]).mean() * math.nan, LoopConfig(epochs=1))


def test_frozen_parameters_do_not_move():
    net, batches, loss, _ = problem()
    before = net[0].weight.detach().clone()
    run_loop(net, batches, loss, LoopConfig(epochs=2, learning_rate=0.05), decay_group=lambda name, _: 0.0 if name.startswith("0") else 1.0)
    assert torch.equal(net[0].weight, before)


def test_schedule_rises_then_falls_to_its_floor():
    config = LoopConfig(warmup=0.1, final_rate=0.01)
    rates = [schedule_rate(config, step / 100) for step in range(101)]
    assert rates[5] == pytest.approx(0.5)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.01)
    assert all(first >= second for first, second in itertools.pairwise(rates[10:]))


def test_a_minutes_budget_ends_the_run():
    net, batches, loss, _ = problem()
    history = run_loop(net, batches, loss, LoopConfig(epochs=10_000_000, minutes=0.02))
    assert history.stopped == "minutes"
    assert history.seconds < 10


def test_an_absent_gpu_is_an_error_in_words():
    if torch.cuda.is_available():
        assert pick_device("auto").type == "cuda"
    else:
        with pytest.raises(ConfigError, match="no CUDA GPU"):
            pick_device("cuda")
        assert pick_device("cpu").type == "cpu"
