"""Shards on Ray: on one node or a cluster, the same worker process and the same shard function as on this machine, so the same bytes.

Each actor is a supervisor with one worker process of its own, which keeps the models from shard to shard. Guards cannot live in the process they guard: a molecule that crashes, hangs or
eats memory ends the worker, not the actor, and is found there as it is locally. An actor that is lost with its node is replaced and its shard done again. Library, models and the run folder must
be reachable under the same paths from every node.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drugai import errors
from drugai.errors import ConfigError, DrugaiError
from drugai.molecules import LibraryIndex
from drugai.screening.plan import Plan, code_identity
from drugai.screening.process import resident
from drugai.screening.shard import Shard
from drugai.screening.supervisor import Supervisor

log = logging.getLogger(__name__)

MOST_LOSSES = 3
"""Times that a shard is given to another actor after one was lost with it."""


class ShardActor:
    """What runs in a Ray actor: commands in, plain values out; an error of drugai comes back as its name and words."""

    def __init__(self, plan: dict[str, Any], index: dict[str, Any] | None, threads: int, deadline: float, memory: int) -> None:
        self.arguments: dict[str, Any] = {"workers": 1, "threads": threads, "deadline": deadline, "memory": memory, "stopped": lambda: False}
        self.index = LibraryIndex.from_dict(index) if index else None
        self.supervisor = Supervisor(Plan.from_dict(plan), self.index, **self.arguments)

    def decide(self) -> dict[str, Any]:
        """The plan's decision by this actor's worker."""
        return self._answer(lambda: self.supervisor.decide().decision())

    def adopt(self, plan: dict[str, Any]) -> None:
        """Work by this plan from here on."""
        self.supervisor.adopt(Plan.from_dict(plan))

    def shard(self, number: int, start: int, stop: int, path: str) -> dict[str, Any]:
        """Do one shard."""
        return self._answer(lambda: next(iter(self.supervisor.run([Shard(number, start, stop, Path(path))])))[1])

    def _answer(self, work: Callable[[], Any]) -> dict[str, Any]:
        own = dict(code_identity()[1]), code_identity()[0]
        given = self.supervisor.plan.code
        if given and own != (given["versions"], given["sha256"]):
            return {"refused": "ConfigError", "words": f"a node of the cluster has another drugai or other packages ({own[0]}); install the same everywhere"}
        try:
            done = work()
        except DrugaiError as error:
            return {"refused": type(error).__name__, "words": str(error)}
        return {"done": done, "replaced": self.supervisor.replaced, "peak": self.supervisor.peak}


@dataclass
class _Actor:
    handle: Any
    replaced: int = 0
    peak: int = 0


class RayEngine:
    """Has the face of a :class:`~drugai.screening.supervisor.Supervisor`; its workers are Ray actors.

    Args:
        plan, index, workers, deadline, memory, stopped: As of a Supervisor; ``workers`` actors.
        threads: Threads, and CPUs that Ray reserves, for each actor.
        address: Of a cluster (``auto``, ``host:port``, ``ray://…``); None: that of ``RAY_ADDRESS``, or a Ray of its own on this machine that ends with the run.
        gpus: GPUs, or a share of one, that Ray reserves for each actor.

    Raises:
        ConfigError: Ray is not installed, or no cluster answers there.
    """

    def __init__(
        self,
        plan: Plan,
        index: LibraryIndex | None,
        *,
        workers: int,
        threads: int,
        deadline: float,
        memory: int,
        stopped: Callable[[], bool],
        address: str | None = None,
        gpus: float = 0.0,
    ) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no telemetry unless the user wants it
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray
        except ModuleNotFoundError:
            raise ConfigError("engine='ray' needs Ray; install it with: pip install 'drugai[ray]'") from None
        self.ray = ray
        self.plan = plan
        self.index = index
        self.workers = workers
        self.threads = threads
        self.gpus = gpus
        self.stopped = stopped
        self.replaced = 0
        self.peak = 0
        self._limits = (deadline, memory)
        self._actors: list[_Actor] = []
        self._mine = not ray.is_initialized()
        if self._mine:
            where: dict[str, Any] = {"address": address} if address else {}
            if not address and not os.environ.get("RAY_ADDRESS"):
                where = {"num_cpus": workers * threads, "include_dashboard": False}
                where |= {} if gpus else {"num_gpus": 0}
            try:
                ray.init(**where, log_to_driver=False, logging_level=logging.ERROR)
            except ConnectionError as error:
                raise ConfigError(f"no Ray cluster answers at {address or os.environ.get('RAY_ADDRESS')} ({error}); start one, or leave the address out") from None

    def __enter__(self) -> RayEngine:
        return self

    def __exit__(self, *_: object) -> None:
        for actor in self._actors:
            self.ray.kill(actor.handle)
        self._actors.clear()
        if self._mine:
            self.ray.shutdown()

    def decide(self) -> Plan:
        """The plan decided by the first actor, whose worker then stays for the shards."""
        if not self._actors:
            self._actors.append(self._start())
        waiting = [self._actors[0].handle.decide.remote()]
        while waiting and not self.stopped():
            ready, waiting = self.ray.wait(waiting, timeout=0.2)
            for reference in ready:
                self.plan = self.plan.decide(self._taken(self._actors[0], self.ray.get(reference)))
        return self.plan

    def adopt(self, plan: Plan) -> Plan:
        """Work by ``plan`` from here on."""
        self.plan = plan
        self.ray.get([actor.handle.adopt.remote(plan.to_dict()) for actor in self._actors])
        return plan

    def run(self, shards: Sequence[Shard]) -> Iterator[tuple[Shard, dict[str, Any]]]:
        """Each shard with its manifest row, as they end. Ends early, without an error, when ``stopped`` says so."""
        waiting = deque(shards)
        losses: dict[int, int] = {}
        working: dict[Any, tuple[_Actor, Shard]] = {}
        while (waiting or working) and not self.stopped():
            busy = {id(actor) for actor, _ in working.values()}
            free = [actor for actor in self._actors if id(actor) not in busy]
            while waiting and len(working) < self.workers:
                actor = free.pop() if free else self._start()
                if actor not in self._actors:
                    self._actors.append(actor)
                shard = waiting.popleft()
                working[actor.handle.shard.remote(shard.number, shard.start, shard.stop, str(shard.path.resolve()))] = (actor, shard)
            ready, _ = self.ray.wait(list(working), timeout=0.2)
            for reference in ready:
                actor, shard = working.pop(reference)
                try:
                    row = self._taken(actor, self.ray.get(reference))
                except self.ray.exceptions.RayActorError as error:
                    losses[shard.number] = losses.get(shard.number, 0) + 1
                    if losses[shard.number] > MOST_LOSSES:
                        raise DrugaiError(f"shard {shard.number} lost its actor {MOST_LOSSES + 1} times; look into Ray's log for the reason ({error})") from error
                    log.warning("an actor was lost with shard %d, which is done again", shard.number)
                    self._actors.remove(actor)
                    self.replaced += 1
                    waiting.appendleft(shard)
                    continue
                yield shard, row

    def _start(self) -> _Actor:
        # an actor that the driver replaces itself: Ray's own restarts would repeat a shard without a word in the log
        remote = self.ray.remote(ShardActor).options(num_cpus=self.threads, num_gpus=self.gpus or None, max_restarts=0)
        index = self.index.to_dict() if self.index is not None else None
        return _Actor(remote.remote(self.plan.to_dict(), index, self.threads, *self._limits))

    def _taken(self, actor: _Actor, answer: dict[str, Any]) -> Any:
        if "refused" in answer:
            kind = getattr(errors, answer["refused"], DrugaiError)
            raise kind(answer["words"])
        self.replaced += answer["replaced"] - actor.replaced
        actor.replaced, actor.peak = answer["replaced"], max(actor.peak, answer["peak"])
        self.peak = max(self.peak, resident("self") + sum(each.peak for each in self._actors))
        return answer["done"]
