"""The one training loop: schedule, precision, early stopping, checkpoints and resume. Every network of drugai is trained by it.

It knows nothing of molecules, tasks or studies: the caller hands over a module, batches, a loss and a validation; ``on_epoch`` is called after each epoch
and may raise to end the run (that is how a study prunes).
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from drugai.artifact import write_tensors_atomically
from drugai.config import Config, setting, tunable
from drugai.errors import ArtifactError, ConfigError
from drugai.runtime import derive_seed

logger = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class LoopConfig(Config):
    """How a network is trained."""

    epochs: int = setting(60, help="most passes over the training part")
    minutes: float = setting(0.0, help="wall-clock budget; the schedule anneals over it (0: no limit, the schedule follows the epochs)")
    learning_rate: float = tunable(1e-3, 2e-4, 5e-3, log=True, help="peak learning rate of AdamW")
    weight_decay: float = tunable(1e-5, 1e-6, 1e-1, log=True, help="decoupled weight decay")
    warmup: float = tunable(0.05, 0.0, 0.3, help="share of the run over which the rate rises linearly")
    schedule: str = setting("cosine", choices=("cosine", "linear", "constant"), help="how the rate falls after the warm-up")
    final_rate: float = setting(0.01, help="rate at the end as a share of the peak")
    gradient_clip: float = setting(1.0, help="largest norm of the gradient (0: none)")
    patience: int = setting(0, help="epochs without a better validation score before the run ends (0: never)")
    average: float = setting(0.0, help="decay of an exponential moving average of the weights, used for validation and kept (0: none)")
    precision: str = setting("auto", choices=("auto", "fp32", "bf16"), help="auto: bf16 on a GPU that has it, fp32 on a CPU")
    device: str = setting("auto", help="auto, cpu, cuda, cuda:1, mps …")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.epochs < 1 or self.learning_rate <= 0 or self.minutes < 0 or self.patience < 0 or not 0 <= self.average < 1:
            raise ConfigError(
                f"LoopConfig: epochs must be at least 1, learning_rate positive, minutes and patience not negative, average in [0, 1); got epochs="
                f"{self.epochs}, learning_rate={self.learning_rate}, minutes={self.minutes}, patience={self.patience}, average={self.average}"
            )


@dataclass
class History:
    """What happened: one entry an epoch, and which epoch was best."""

    epochs: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = -1
    best_score: float = math.nan
    steps: int = 0
    seconds: float = 0.0
    stopped: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a manifest."""
        return dict(self.__dict__)


def pick_device(name: str = "auto") -> torch.device:
    """The device called ``name``; ``auto`` takes the GPU where there is one."""
    if name != "auto":
        device = torch.device(name)
        if device.type == "cuda" and not torch.cuda.is_available():
            raise ConfigError(f"device {name!r} was asked for but torch sees no CUDA GPU; use device='auto' or install a CUDA build of torch")
        return device
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps") if torch.backends.mps.is_available() else torch.device("cpu")


def run_loop(
    module: nn.Module,
    batches: Callable[[int], Iterable[Any]],
    loss: Callable[[Any], torch.Tensor],
    config: LoopConfig,
    *,
    seed: int = 0,
    steps_per_epoch: int | None = None,
    validate: Callable[[], Mapping[str, float]] | None = None,
    monitor: str = "loss",
    direction: str = "min",
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: float = 300.0,
    should_stop: Callable[[], bool] | None = None,
    decay_group: Callable[[str, nn.Parameter], float] | None = None,
    tensorboard: str | Path | None = None,
    attack: Callable[[], AbstractContextManager[None]] | None = None,
) -> History:
    """Train ``module`` in place and leave the best weights in it.

    Args:
        module: Moved to the configured device.
        batches: Epoch number → its batches; the same number must give the same batches, so that a killed run resumes at its step.
        loss: Batch → scalar loss (the caller moves the batch to the module's device).
        config: How to train.
        seed: Seeds dropout; torch's global generator is left as it was.
        steps_per_epoch: Needed for the schedule unless ``minutes`` is set; counted in the first epoch if None.
        validate: Called in evaluation mode after each epoch; its scores are logged. The one named ``monitor`` decides the best epoch.
        monitor, direction: Which validation score, and whether less (``min``) or more (``max``) is better.
        on_epoch: Called with the epoch's number and scores; what it raises ends the run and is passed on.
        checkpoint: Folder for a resumable checkpoint (safetensors; all state, the random generator's too). One that is there is continued.
        checkpoint_every: Seconds between checkpoints.
        should_stop: Asked at each step; True ends the run after writing a checkpoint.
        decay_group: (name, parameter) → factor on the learning rate (0 freezes), for fine-tuning.
        tensorboard: Folder for TensorBoard event files.
        attack: Adversarial training: opened after a step's gradient is known, it disturbs the module while it is open; the gradient of the disturbed loss is added
            (see :class:`drugai.training.adversarial.EmbeddingAttack`).

    Returns:
        The history of the run, the earlier part of a resumed one included.

    Raises:
        ConfigError: The loss became NaN or infinite, or the device is absent.
        ArtifactError: The checkpoint belongs to another model or configuration.
    """
    device = pick_device(config.device)
    module.to(device)
    bf16 = config.precision == "bf16" or (config.precision == "auto" and device.type == "cuda" and torch.cuda.is_bf16_supported())
    groups = _parameter_groups(module, config, decay_group)
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay, fused=device.type in ("cpu", "cuda"))
    state = _State(module, optimizer, config, checkpoint, monitor)
    writer = _tensorboard(tensorboard)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(derive_seed(seed, "training"))
        state.resume()
        history = state.history
        began = time.monotonic() - history.seconds
        saved = time.monotonic()
        total = None if steps_per_epoch is None else steps_per_epoch * config.epochs
        while state.epoch < config.epochs and not history.stopped:
            module.train()
            summed, count = state.partial
            for index, batch in enumerate(batches(state.epoch)):
                if index < state.batch:
                    continue
                elapsed = time.monotonic() - began
                progress = _progress(config, history.steps, total, elapsed)
                if config.minutes and elapsed >= 60 * config.minutes:
                    history.stopped = "minutes"
                    break
                if should_stop is not None and should_stop():
                    history.seconds = elapsed
                    state.partial = (summed, count)
                    state.save()
                    history.stopped = "asked"
                    break
                rate = schedule_rate(config, progress)
                for group in optimizer.param_groups:
                    group["lr"] = config.learning_rate * rate * group["factor"]
                with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
                    value = loss(batch)
                number = float(value.detach())
                if not math.isfinite(number):
                    raise ConfigError(f"the training loss became {number} at step {history.steps}; lower learning_rate (now {config.learning_rate})")
                optimizer.zero_grad(set_to_none=True)
                value.backward()
                if attack is not None:
                    with attack():
                        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
                            disturbed = loss(batch)
                        disturbed.backward()
                if config.gradient_clip:
                    nn.utils.clip_grad_norm_(module.parameters(), config.gradient_clip)
                optimizer.step()
                state.average()
                history.steps += 1
                state.batch = index + 1
                summed, count = summed + number, count + 1
                if checkpoint is not None and time.monotonic() - saved > checkpoint_every:
                    history.seconds = time.monotonic() - began
                    state.partial = (summed, count)
                    state.save()
                    saved = time.monotonic()
                    fields = {"step": history.steps, "epoch": state.epoch, "loss": summed / count, "seconds": round(history.seconds)}
                    logger.info("step %d, loss %.4f", history.steps, summed / count, extra={"fields": fields})
            if history.stopped == "asked":
                break
            if total is None and not config.minutes:
                total = state.batch * config.epochs
            scores: dict[str, float] = {"train_loss": summed / max(count, 1)}
            if validate is not None:
                module.eval()
                with state.averaged(), torch.no_grad():
                    scores.update({key: float(number) for key, number in validate().items()})
            history.seconds = time.monotonic() - began
            epoch, state.epoch, state.batch, state.partial = state.epoch, state.epoch + 1, 0, (0.0, 0)
            history.epochs.append(scores)
            state.keep_if_best(epoch, scores.get(monitor), direction)
            logger.info("epoch %d %s", epoch, _line(scores), extra={"fields": {"epoch": epoch, **scores}})
            if writer is not None:
                for key, number in scores.items():
                    writer.add_scalar(key, number, epoch)
            if config.patience and epoch - history.best_epoch >= config.patience:
                history.stopped = "patience"
            if checkpoint is not None and time.monotonic() - saved > min(checkpoint_every, 10.0):
                state.save()
                saved = time.monotonic()
            if on_epoch is not None:
                on_epoch(epoch, scores)
    if writer is not None:
        writer.close()
    if history.stopped != "asked":
        history.stopped = history.stopped or "epochs"
        state.restore_best()
        if checkpoint is not None:
            (Path(checkpoint) / CHECKPOINT).unlink(missing_ok=True)
    module.eval()
    return history


def schedule_rate(config: LoopConfig, progress: float) -> float:
    """The learning rate as a share of its peak at ``progress`` in [0, 1]: linear warm-up, then the schedule down to ``final_rate``."""
    if progress < config.warmup:
        return max(progress / config.warmup, 1e-3)
    if config.schedule == "constant":
        return 1.0
    along = min((progress - config.warmup) / max(1e-9, 1.0 - config.warmup), 1.0)
    shape = 0.5 * (1 + math.cos(math.pi * along)) if config.schedule == "cosine" else 1.0 - along
    return config.final_rate + (1 - config.final_rate) * shape


def _progress(config: LoopConfig, step: int, total: int | None, elapsed: float) -> float:
    by_steps = step / total if total else 0.0
    by_time = elapsed / (60 * config.minutes) if config.minutes else 0.0
    return max(by_steps, by_time)


def _parameter_groups(module: nn.Module, config: LoopConfig, factor: Callable[[str, nn.Parameter], float] | None) -> list[dict[str, Any]]:
    """Biases, norms and embeddings' scales (one dimension) are not decayed, as is usual for AdamW."""
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        scale = factor(name, parameter) if factor is not None else 1.0
        parameter.requires_grad_(scale > 0 and (parameter.requires_grad or factor is not None))
        if parameter.requires_grad:
            groups.setdefault((scale, parameter.ndim > 1), []).append(parameter)
    if not groups:
        raise ConfigError("no parameter is left to train; decay_group froze them all")
    return [
        {"params": found, "factor": scale, "weight_decay": config.weight_decay if decay else 0.0} for (scale, decay), found in sorted(groups.items(), key=lambda item: item[0])
    ]


class _State:
    """Where the run stands, on disk as one safetensors file whose header carries the JSON part."""

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, config: LoopConfig, folder: str | Path | None, monitor: str) -> None:
        self.module, self.optimizer, self.config, self.monitor = module, optimizer, config, monitor
        self.file = Path(folder) / CHECKPOINT if folder is not None else None
        self.history = History()
        self.epoch = 0
        self.batch = 0
        self.partial: tuple[float, int] = (0.0, 0)
        self.best: dict[str, torch.Tensor] = {}
        self.mean: dict[str, torch.Tensor] = {}
        if config.average:
            self.mean = {name: value.detach().clone() for name, value in module.state_dict().items()}

    def average(self) -> None:
        if self.mean:
            # a short memory at first, or the random start stays in the mean for long
            decay = min(self.config.average, (1 + self.history.steps) / (10 + self.history.steps))
            for name, value in self.module.state_dict().items():
                if value.is_floating_point():
                    self.mean[name].lerp_(value.detach(), 1 - decay)
                else:
                    self.mean[name].copy_(value)

    def averaged(self) -> _Swapped:
        return _Swapped(self.module, self.mean)

    def keep_if_best(self, epoch: int, score: float | None, direction: str) -> None:
        if score is None or math.isnan(score):
            return
        history = self.history
        better = math.isnan(history.best_score) or (score < history.best_score if direction == "min" else score > history.best_score)
        if better:
            history.best_epoch, history.best_score = epoch, score
            source = self.mean or self.module.state_dict()
            self.best = {name: value.detach().clone() for name, value in source.items()}

    def restore_best(self) -> None:
        chosen = self.best or self.mean
        if chosen:
            self.module.load_state_dict(chosen)

    def save(self) -> None:
        if self.file is None:
            return
        tensors = {f"model.{name}": value for name, value in self.module.state_dict().items()}
        tensors.update({f"best.{name}": value for name, value in self.best.items()})
        tensors.update({f"mean.{name}": value for name, value in self.mean.items()})
        for index, values in self.optimizer.state_dict()["state"].items():
            tensors.update({f"optimizer.{index}.{key}": torch.as_tensor(value) for key, value in values.items()})
        tensors["random"] = torch.get_rng_state()
        if torch.cuda.is_available():
            tensors["random_cuda"] = torch.cuda.get_rng_state()
        notes = {
            "config": json.dumps(self.config.to_dict()),
            "history": json.dumps(self.history.to_dict()),
            "place": json.dumps([self.epoch, self.batch, *self.partial]),
        }
        write_tensors_atomically(self.file, tensors, notes)

    def resume(self) -> None:
        if self.file is None or not self.file.is_file():
            return
        from safetensors import safe_open

        with safe_open(self.file, "pt") as stored:
            notes = stored.metadata()
            if json.loads(notes["config"]) != self.config.to_dict():
                raise ArtifactError(f"{self.file}: was written under another training configuration; remove it to start again")
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (not a dict)

        def part(prefix: str) -> dict[str, torch.Tensor]:
            return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

        try:
            self.module.load_state_dict(part("model."))
        except RuntimeError as error:
            raise ArtifactError(f"{self.file}: belongs to another network ({error}); remove it to start again") from None
        device = next(self.module.parameters()).device
        self.best = {name: value.to(device) for name, value in part("best.").items()}
        self.mean = {name: value.to(device) for name, value in part("mean.").items()}
        entries: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in part("optimizer.").items():
            index, _, key = name.partition(".")
            entries.setdefault(int(index), {})[key] = value
        self.optimizer.load_state_dict({"state": entries, "param_groups": self.optimizer.state_dict()["param_groups"]})
        torch.set_rng_state(tensors["random"])
        if "random_cuda" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["random_cuda"])
        self.history = History(**json.loads(notes["history"]))
        self.epoch, self.batch, summed, count = json.loads(notes["place"])
        self.partial = (float(summed), int(count))
        logger.info("resumed at epoch %d, step %d from %s", self.epoch, self.history.steps, self.file)


class _Swapped:
    """While open, the module carries the averaged weights."""

    def __init__(self, module: nn.Module, mean: dict[str, torch.Tensor]) -> None:
        self.module, self.mean = module, mean

    def __enter__(self) -> None:
        if self.mean:
            self.own = {name: value.detach().clone() for name, value in self.module.state_dict().items()}
            self.module.load_state_dict(self.mean)

    def __exit__(self, *_: object) -> None:
        if self.mean:
            self.module.load_state_dict(self.own)


def _tensorboard(folder: str | Path | None) -> Any:
    if folder is None:
        return None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ConfigError("a TensorBoard log was asked for but tensorboard is not installed; pip install 'drugai[dev]' or tensorboard") from None
    return SummaryWriter(str(folder))  # type: ignore[no-untyped-call]


def _line(scores: Mapping[str, float]) -> str:
    return ", ".join(f"{key} {value:.4f}" for key, value in scores.items())
