"""A worker shows that it lives: by its process on its own machine, by a file or the database's clock to all others."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drugai.tuning import stale
from drugai.tuning.locking import storage_file


def process_start(pid: int) -> str | None:
    """When a process started, in clock ticks since boot as Linux tells; None if there is no such process. Process ids are reused, their starts are not.

    One that is dead but that no parent has waited for (in a container without an init it stays so for ever) counts as none.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in ("Z", "X", "x") else fields[19]
    except (OSError, IndexError):
        return None


def machine() -> str:
    """Where a process id means something: host, boot and (in containers) the space of process ids. Two containers may share a host name and no process."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with contextlib.suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return "|".join(parts)


def beats_folder(storage: str | Path) -> Path | None:
    """Where the workers of a journal or SQLite file leave their heartbeat files; None for a server."""
    file = storage_file(storage)
    return None if file is None else Path(f"{file}.workers")


class Worker:
    """This process as a worker of a study; use it as a context.

    A thread touches the worker's file every 20 s. The file's time comes from the file system that all hosts share, so clocks that differ do no harm. On a
    database server it writes Optuna's heartbeat of the running trial instead, by the server's clock.
    """

    def __init__(self, storage: str | Path, opened: Any) -> None:
        folder = beats_folder(storage)
        self.name = f"{socket.gethostname()}-{os.getpid()}-{process_start(os.getpid()) or int(time.time())}"
        self.file = None if folder is None else folder / self.name
        self._storage = opened
        self._trial_id: int | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def sign(self, trial: Any) -> None:
        """Write into a trial who runs it; its first heartbeat comes before, so that every signed trial has one."""
        self._trial_id = trial._trial_id
        self.beat()
        pid = os.getpid()
        # in one value: a worker that dies in the middle leaves a trial that is signed or is not
        trial.set_user_attr("worker", {"name": self.name, "host": socket.gethostname(), "machine": machine(), "pid": pid, "process_start": process_start(pid)})

    @contextlib.contextmanager
    def running(self, trial: Any) -> Iterator[None]:
        """While open, the trial is this worker's."""
        self._trial_id = trial._trial_id
        try:
            yield
        finally:
            self._trial_id = None

    def beat(self) -> None:
        """Show a sign of life now."""
        if self.file is not None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.touch()
        elif self._trial_id is not None and getattr(self._storage, "get_heartbeat_interval", lambda: None)() is not None:
            self._storage.record_heartbeat(self._trial_id)

    def _beat(self) -> None:
        while not self._done.wait(stale.HEARTBEAT):
            self.beat()

    def __enter__(self) -> Worker:
        self.beat()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        if self.file is not None:
            self.file.unlink(missing_ok=True)
