"""One worker process as the supervisor sees it: a pipe, a deadline, its memory."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_PAGE = os.sysconf("SC_PAGE_SIZE")
# A network's temporary tensors of some MB are otherwise handed back to the system and zeroed anew at each step: a fifth of a small network's time (glibc; others ignore it)
_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_TOP_PAD_": "67108864"}
MOST_PATIENCE = 10.0
"""Times its patience after which a worker is late even if it only waited for a processor."""


class Process:
    """A child that runs :mod:`drugai.screening.worker`.

    Attributes:
        at: The record that it announced last.
        ahead: First record of the chunk that it makes ready beside that, −1 for none.
        patience: Seconds until it is late, counted from its last announcement; what it waits for a processor meanwhile does not count (see :attr:`late`).
        starting: True until the scorer stands.
        dying: Why it is to be replaced although it lives.
        baseline: Bytes that it held when the scorer stood.
    """

    def __init__(self, threads: int) -> None:
        read, write = os.pipe()
        given = os.environ.get("OMP_NUM_THREADS", "")
        count = str(min(threads, int(given)) if given.isdigit() and int(given) else threads)  # a user's own bound holds
        wanted = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), count)
        environment = {**_MALLOC, **os.environ, **wanted, "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path)}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "drugai.screening.worker", str(write)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=(write,), env=environment,
        )  # fmt: skip
        os.close(write)
        os.set_blocking(read, False)
        self._pipe = read
        self._rest = b""
        self._queue: list[tuple[dict[str, Any], float]] = []
        self.pid = self._child.pid
        self._restart_clock()
        self.at = 0
        self.ahead = -1
        self.patience = float("inf")
        self.starting = True
        self.dead = False
        self.dying: tuple[str, str] | None = None
        self.baseline = 0

    def send(self, command: dict[str, Any], patience: float) -> None:
        """Give a command. While the child starts, it waits its turn: its time counts from when the scorer stands."""
        if self.starting and self.patience != float("inf"):
            self._queue.append((command, patience))
            return
        self.patience = patience
        self._restart_clock()
        self._write(command)

    def _write(self, command: dict[str, Any]) -> None:
        assert self._child.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it died: its end of the pipe says so, and why
            self._child.stdin.write((json.dumps(command) + "\n").encode())
            self._child.stdin.flush()

    def started(self) -> None:
        """The scorer stands: what it holds now is its own, and the command that waited is given."""
        self.starting = False
        self.baseline = self.memory()
        self.rest()
        for command, patience in self._queue:
            self.send(command, patience)
        self._queue.clear()

    def rest(self) -> None:
        """It has nothing to do and cannot be late."""
        self.patience = float("inf")

    def announced(self, at: int) -> None:
        """It came as far as record ``at``."""
        self.at = at
        self._restart_clock()

    def _restart_clock(self) -> None:
        self._since = time.monotonic()
        self._waits = queue_waits(self.pid)

    def messages(self) -> list[dict[str, Any]]:
        """What it has said since; notes when its end of the pipe is closed."""
        while True:
            try:
                data = os.read(self._pipe, 1 << 16)
            except BlockingIOError:
                break
            if not data:
                self.dead = True
                break
            self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        return [json.loads(line) for line in lines]

    @property
    def late(self) -> bool:
        """Whether its last announcement is longer ago than it may be.

        On a busy machine a healthy worker stands in the queue for a processor; that time is not its own, up to ten times its patience. A worker that sleeps or runs in
        a circle does not stand there.
        """
        seconds = time.monotonic() - self._since
        if seconds <= self.patience:
            return False
        now = queue_waits(self.pid)
        waited = max((wait - self._waits.get(thread, 0.0) for thread, wait in now.items()), default=0.0)
        return seconds - waited > self.patience or seconds > MOST_PATIENCE * self.patience

    def memory(self) -> int:
        """Bytes that it holds in memory; 0 where the system does not tell."""
        return resident(self.pid)

    def cause_of_death(self) -> tuple[str, str]:
        """``crash`` or ``memory``, and words."""
        try:
            status = self._child.wait(5)
        except subprocess.TimeoutExpired:
            return "crash", "the worker closed its pipe"
        if status == -signal.SIGKILL:
            return "memory", "the system killed the worker, as it does when memory is short"
        if status < 0:
            return "crash", f"the worker died of {signal.Signals(-status).name}"
        return "crash", f"the worker ended with status {status}"

    def end(self) -> None:
        """Kill it and free what it held."""
        self._child.kill()
        self._child.wait()
        if self._child.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._child.stdin.close()
        os.close(self._pipe)

    @staticmethod
    def wait(processes: Sequence[Process], seconds: float) -> list[Process]:
        """Those that have said something or died, waiting so long at most."""
        pipes = {process._pipe: process for process in processes}
        ready, _, _ = select.select(list(pipes), [], [], seconds)
        return [pipes[pipe] for pipe in ready]


def queue_waits(pid: int | str) -> dict[str, float]:
    """Seconds that each thread of a process has stood ready to run and waiting for a processor; nothing where the system does not tell."""
    out: dict[str, float] = {}
    for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError, IndexError, ValueError):  # a thread may end while we look
            out[file.parent.name] = int(file.read_text().split()[1]) / 1e9
    return out


def resident(pid: int | str) -> int:
    """Resident bytes of a process, 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def peak_memory(processes: Sequence[Process]) -> int:
    """Resident bytes of this process and the workers together, now."""
    return resident("self") + sum(process.memory() for process in processes)
