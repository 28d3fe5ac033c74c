"""Worker processes under watch: a dead or late one is replaced, and its chunk is searched for the molecule that did it.

A worker announces the first record of what it is about to score. Where it dies, hangs or runs out of memory, the chunk is tried again in groups of 64 by a
fresh worker, the guilty group molecule by molecule; the guilty row gets its reason, and the shard goes on with that row left out. Chunks that were done stay done.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from drugai import errors
from drugai.errors import E_CRASH, E_MEMORY, E_TIMEOUT, DrugaiError, reason
from drugai.molecules import LibraryIndex
from drugai.screening.plan import Plan
from drugai.screening.process import Process, peak_memory
from drugai.screening.shard import GROUP, Shard
from drugai.screening.worker import DECIDING

log = logging.getLogger(__name__)

MOST_VERDICTS = 100
"""Molecules of one chunk that may kill a worker before the scorer itself is taken to be broken."""
STARTUP = 600.0
"""Seconds that a worker may take to load the models."""
_CODES = {"crash": E_CRASH, "timeout": E_TIMEOUT, "memory": E_MEMORY, "error": E_CRASH}


@dataclass
class Case:
    """A piece of work, and what was found out about it: the shard, or (without one) the decision at the start."""

    shard: Shard | None
    verdicts: dict[int, str] = field(default_factory=dict)
    grouped: set[int] = field(default_factory=set)
    failures: Counter[int] = field(default_factory=Counter)
    probes: list[tuple[int, int, int]] = field(default_factory=list)
    found: int = 0
    chunk: int = 0
    serial: bool = False

    def command(self) -> dict[str, Any]:
        """What a worker is to do next."""
        verdicts = {str(row): why for row, why in sorted(self.verdicts.items())}
        if self.probes:
            start, stop, step = self.probes[-1]
            return {"do": "probe", "start": start, "stop": stop, "step": step, "verdicts": verdicts}
        if self.shard is None:
            return {"do": "decide", "verdicts": verdicts}
        shard = self.shard
        own = {"number": shard.number, "start": shard.start, "stop": shard.stop, "path": str(shard.path)}
        return {"do": "shard", **own, "verdicts": verdicts, "grouped": sorted(self.grouped), "serial": self.serial}

    def bounds(self, at: int, plan: Plan) -> tuple[int, int]:
        """First record and end of the chunk that holds ``at``."""
        if self.shard is None:
            return 0, min(DECIDING, plan.library.records)
        start = self.shard.start + (at - self.shard.start) // plan.chunk * plan.chunk
        return start, min(start + plan.chunk, self.shard.stop)

    def failed(self, at: int, cause: str, words: str, plan: Plan, ahead: int = -1) -> None:
        """Take note of a failure at record ``at`` and choose where to look next.

        Where a second chunk was made ready beside the work, its first record is ``ahead``: it is searched too, and from then on the shard goes on chunk by chunk.
        """
        if not self.probes:
            self.serial = True
            if self.shard is not None and self.shard.start <= ahead < self.shard.stop and self.bounds(ahead, plan) != self.bounds(at, plan):
                begin, end = self.bounds(ahead, plan)
                self.probes.append((begin, end, GROUP if end - begin > 4 * GROUP else 1))
            self.chunk, stop = self.bounds(at, plan)
            self.found = 0
            self.failures[self.chunk] += 1
            if self.failures[self.chunk] == 2:
                self.grouped.add(self.chunk)  # no one molecule: the chunk as a whole is too much
            elif self.failures[self.chunk] > 3:
                raise DrugaiError(
                    f"records {self.chunk}–{stop - 1} fail as a whole ({cause} {words}), and no one molecule of them does; raise the deadline or the memory limit"
                )
            self.probes.append((self.chunk, stop, GROUP if stop - self.chunk > 4 * GROUP else 1))
            return
        start, stop, step = self.probes.pop()
        if step == 1:
            self.verdicts[at] = reason(_CODES[cause], words)
            self.found += 1
            self.failures[self.chunk] = 0
            log.warning("record %d: %s", at, self.verdicts[at])
            if self.found > MOST_VERDICTS:
                raise DrugaiError(
                    f"more than {MOST_VERDICTS} of the records {self.chunk}–{at} fail one by one; it is the scorer, not the molecules. The last: {words}"
                )
            if at + 1 < stop:
                self.probes.append((at + 1, stop, 1))
            return
        end = min(at + step, stop)
        if end < stop:
            self.probes.append((end, stop, step))
        self.probes.append((at, end, 1))

    def done(self) -> bool:
        """Take note of an answer; whether the piece itself, and not a probe, is done."""
        if self.probes:
            self.probes.pop()
            return False
        return True


class Supervisor:
    """Runs shards in worker processes.

    Args:
        plan: The plan, decided or not.
        index: Entry points of the library.
        workers: Processes.
        threads: Threads of each.
        deadline: Seconds that a chunk may take; a group of 64 and a single molecule get a share of it.
        memory: Bytes that a worker may hold.
        stopped: Asked several times a second whether to end.
        on_records: Called with (shard number, records of it that are done).
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
        on_records: Callable[[int, int], None] | None = None,
    ) -> None:
        self.plan = plan
        self.index = index
        self.workers = workers
        self.threads = threads
        self.deadline = deadline
        self.memory = memory
        self.stopped = stopped
        self.on_records = on_records or (lambda shard, records: None)
        self.replaced = 0
        self.peak = 0
        self._said: set[str] = set()
        self._known: dict[int, str] = {}  # culprits among the first records, met while deciding
        self._processes: list[Process] = []

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.end()
        self._processes.clear()

    def decide(self) -> Plan:
        """The plan with precision, columns and the like decided by a worker, which then stays for the shards."""
        for case, answer in self._run([Case(None)], 1):
            self._known.update(case.verdicts)
            self.plan = self.plan.decide(answer)
        return self.plan

    def adopt(self, plan: Plan) -> Plan:
        """Work by ``plan`` from here on: workers that decided otherwise are let go."""
        if plan != self.plan:
            self.__exit__()
            self.plan = plan
        return plan

    def run(self, shards: Sequence[Shard]) -> Iterator[tuple[Shard, dict[str, Any]]]:
        """Each shard with its manifest row, as they end. Ends early, without an error, when ``stopped`` says so."""
        cases = [Case(shard, {row: why for row, why in self._known.items() if shard.start <= row < shard.stop}) for shard in shards]
        for case, answer in self._run(cases, min(self.workers, len(shards))):
            assert case.shard is not None
            yield case.shard, answer

    def _run(self, cases: list[Case], workers: int) -> Iterator[tuple[Case, Any]]:
        waiting = deque(cases)
        working: dict[Process, Case] = {}
        while (waiting or working) and not self.stopped():
            while waiting and len(working) < workers:
                process = self._idle(working)
                working[process] = waiting.popleft()
                self._send(process, working[process])
            self.peak = max(self.peak, peak_memory(self._processes))
            for process in Process.wait(list(working), 0.1):
                case = working[process]
                if process not in self._processes:
                    continue
                for message in process.messages():
                    if "ahead" in message:
                        process.ahead = message["ahead"]
                    elif "at" in message:
                        process.announced(message["at"])
                        if case.shard is not None and not case.probes:
                            self.on_records(case.shard.number, message["at"] - case.shard.start)
                    elif self._answered(process, case, message):
                        del working[process]
                        yield case, message["done"]
                        break
            for process in list(working):
                cause = self._overdue(process)
                if cause:
                    self._replace(process, working, *cause)

    def _idle(self, working: dict[Process, Case]) -> Process:
        free = [process for process in self._processes if process not in working]
        if free:
            return free[0]
        process = Process(self.threads)
        index = self.index.to_dict() if self.index is not None else None
        process.send({"do": "setup", "plan": self.plan.to_dict(), "index": index, "memory": self.memory}, STARTUP)
        self._processes.append(process)
        return process

    def _send(self, process: Process, case: Case) -> None:
        command = case.command()
        process.at, process.ahead = int(command.get("start", 0)), -1  # until it announces one itself
        process.send(command, self._patience(case))

    def _patience(self, case: Case) -> float:
        """Seconds for one step: a chunk has the deadline; a probe's group and molecule a share of it, yet no less than a slow machine needs."""
        if not case.probes:
            return self.deadline
        return min(self.deadline, max(10.0, self.deadline / (10 if case.probes[-1][2] > 1 else 20)))

    def _answered(self, process: Process, case: Case, message: dict[str, Any]) -> bool:
        """Deal with an answer; whether the case is done."""
        for note in message.get("notes", ()):
            if note not in self._said:
                self._said.add(note)
                log.warning("%s", note)
        if "refused" in message:
            kind = getattr(errors, message["refused"], DrugaiError)
            raise kind(message["words"])
        if process.starting:
            if "failed" in message:
                raise DrugaiError(f"a worker cannot build the scorer: {message['words'] or 'out of memory'}")
            process.started()
            return False
        if "failed" in message:
            if message["failed"] == "memory":
                process.dying = ("memory", self._memory_words())  # what it still holds is not known: a fresh one is safer
            else:
                case.failed(process.at, "error", f"raised {message['words']}", self.plan, process.ahead)
                self._send(process, case)
            return False
        if case.done():
            process.rest()
            return True
        self._send(process, case)
        return False

    def _overdue(self, process: Process) -> tuple[str, str] | None:
        """Why a worker has to be replaced, or None."""
        if process.dying:
            return process.dying
        if process.dead:
            return process.cause_of_death()
        if process.memory() > self.memory + process.baseline:
            return "memory", self._memory_words()
        if process.late:
            return "timeout", f"took longer than {process.patience:g} s"
        return None

    def _memory_words(self) -> str:
        return f"needed more than {self.memory / 2**30:g} GB"

    def _replace(self, process: Process, working: dict[Process, Case], cause: str, words: str) -> None:
        case = working.pop(process)
        process.end()
        self._processes.remove(process)
        if process.starting:
            raise DrugaiError(f"a worker ended while it loaded the models ({words}); its own words are above")
        self.replaced += 1
        log.info("a worker is replaced: %s", words, extra={"fields": {"cause": cause, "record": process.at}})
        case.failed(process.at, cause, words, self.plan, process.ahead)
        fresh = self._idle(working)
        working[fresh] = case
        self._send(fresh, case)
