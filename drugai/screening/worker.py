"""A worker process: commands as JSON lines on standard input, messages as JSON lines on a pipe of its own.

Guards cannot live in the process they guard: this one announces what it is about to touch and does it; the supervisor watches, and knows from the last
announcement where a worker died. Nothing is pickled, and the user's script is not imported again, as multiprocessing's spawn would.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drugai.errors import DrugaiError
from drugai.featurizers.graphs import featurize_graphs
from drugai.molecules import LibraryIndex, MoleculeBatch
from drugai.runtime import die_with_parent
from drugai.screening.graph_shard import build_shard
from drugai.screening.plan import Plan
from drugai.screening.records import read_chunks
from drugai.screening.scorers import Scoring
from drugai.screening.shard import Shard, score_chunk, screen_shard

DECIDING = 4096
"""Records that precision, center and scale are decided on."""


class Worker:
    """Runs commands and reports. ``setup`` comes first, then ``decide``, ``shard`` and ``probe`` in any order."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe
        self.notes = _Notes()

    def tell(self, **message: Any) -> None:
        """Send one message; lines below 4 kB reach the pipe whole."""
        data = (json.dumps(message) + "\n").encode()
        while data:
            data = data[os.write(self.pipe, data) :]

    def run(self) -> None:
        """Work until the supervisor closes standard input."""
        logger = logging.getLogger("drugai")
        logger.addHandler(self.notes)
        for line in sys.stdin:
            command = json.loads(line)
            try:
                answer = getattr(self, f"do_{command.pop('do')}")(**command)
            except DrugaiError as error:
                self.tell(refused=type(error).__name__, words=str(error))
            except MemoryError:
                self.tell(failed="memory", words="")
            except Exception as error:
                kind = "memory" if "bad_alloc" in str(error) or "allocate memory" in str(error) else "error"
                self.tell(failed=kind, words=f"{type(error).__name__}: {error}"[:300])
            else:
                self.tell(done=answer, notes=self.notes.take())

    def do_setup(self, plan: Mapping[str, Any], index: Mapping[str, Any] | None, memory: int) -> None:
        """Build the scorer, then bound the memory that may come on top of what it takes."""
        self.plan = Plan.from_dict(plan)
        self.index = LibraryIndex.from_dict(index) if index else None
        # what the imports leave behind lives as long as the process: the collector need not walk it, neither now nor later
        gc.disable()
        self.scoring = Scoring.of(self.plan) if self.plan.scorer["kind"] != "graphs" else None
        gc.freeze()
        gc.enable()
        limit_memory(memory)

    def do_decide(self, verdicts: Mapping[str, str]) -> dict[str, Any]:
        """What is decided once for a run."""
        assert self.scoring is not None
        self.tell(at=0)
        stop = min(DECIDING, self.plan.library.records)
        part = next(read_chunks(self.plan, 0, stop, chunk=DECIDING, index=self.index, skip=_rows(verdicts)), None)
        batch = part.batch(self.plan.caps, self.plan.trusted) if part is not None else MoleculeBatch([])
        found = self.scoring.decide(self.plan, batch, full=len(batch) >= DECIDING)
        self.plan = self.plan.decide(found)
        return found

    def do_shard(
        self, number: int, start: int, stop: int, path: str, verdicts: Mapping[str, str], grouped: list[int], serial: bool
    ) -> dict[str, Any]:
        """Do one shard; ``serial`` when it is to be known exactly which chunk is in work."""
        shard = Shard(number, start, stop, Path(path))
        common: dict[str, Any] = {"index": self.index, "verdicts": _rows(verdicts), "grouped": grouped, "on_chunk": self.announce}
        if self.scoring is None:
            return build_shard(self.plan, shard, **common)
        ahead = self.announce_ahead if not serial and (thread_count() > 1 or self.plan.device != "cpu") else None
        return screen_shard(self.plan, shard, self.scoring, on_ahead=ahead, **common)

    def do_probe(self, start: int, stop: int, step: int, verdicts: Mapping[str, str]) -> None:
        """Score a range in small groups and keep nothing: the last group announced before a death holds the culprit."""
        self.announce(start)
        for at in range(start, stop, step):
            self.announce(at)
            for part in read_chunks(self.plan, at, min(at + step, stop), chunk=step, index=self.index, skip=_rows(verdicts)):
                if self.scoring is None:
                    featurize_graphs(part.batch(self.plan.caps, self.plan.trusted))
                elif self.plan.decided:
                    score_chunk(self.plan, self.scoring, part)
                else:
                    self.scoring.scorer.score(part.batch(self.plan.caps, self.plan.trusted))

    def announce(self, at: int) -> None:
        """Say which record comes next."""
        self.tell(at=at)

    def announce_ahead(self, at: int) -> None:
        """Say which record the chunk begins with that is made ready beside the work."""
        self.tell(ahead=at)


class _Notes(logging.Handler):
    """Warnings of this process, to be handed to the supervisor, which says each once."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text not in self.texts and len(self.texts) < 20:
            self.texts.append(text)

    def take(self) -> list[str]:
        """The texts so far; then none."""
        out, self.texts = self.texts, []
        return out


def thread_count() -> int:
    """Threads that the supervisor gave this process."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() else 1


def _rows(verdicts: Mapping[str, str]) -> dict[int, str]:
    return {int(row): why for row, why in verdicts.items()}


def limit_memory(extra: int) -> None:
    """Let the process take ``extra`` bytes of data more than now; beyond that an allocation fails at once, before the machine swaps."""
    if sys.platform != "linux":
        return
    status = Path("/proc/self/status").read_text()
    now = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmData"))
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = now + extra if hard == resource.RLIM_INFINITY else min(now + extra, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def main() -> None:
    """Entry point of the child process; its one argument is the pipe's number."""
    die_with_parent()
    if os.getppid() == 1:  # the parent died before the line above
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))  # a crash is expected: no core files
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the supervisor decides
    pipe = int(sys.argv[1])
    sys.stdout = sys.stderr  # what a term prints does not mix with the run's own output
    Worker(pipe).run()


if __name__ == "__main__":
    main()
