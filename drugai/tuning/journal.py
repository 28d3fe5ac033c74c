"""The lock of a journal file: fair among many workers, freed at once when its holder dies, and still respected by whatever else opens the journal."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO, Any


def open_journal(path: str | Path) -> Any:
    """Optuna's journal storage of a file, created if need be."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    text = str(path)
    Path(text).parent.mkdir(parents=True, exist_ok=True)
    return JournalStorage(JournalFileBackend(text, lock_obj=JournalLock(text)))


class JournalLock:
    """Optuna's own lock (a symbolic link) behind a lock of the kernel.

    Optuna's waiters look again after pauses that double to a second, so of four quick workers one can wait for ten seconds and more (measured); and the link of a
    killed holder blocks all others for thirty. Workers of drugai therefore queue at the kernel's lock first and find the link free; the link keeps out other
    programs that open the journal, such as optuna-dashboard.
    """

    def __init__(self, path: str) -> None:
        from optuna.storages.journal import JournalFileSymlinkLock

        self._link = JournalFileSymlinkLock(path)
        self._link_file = path + ".lock"
        self._queue = path + ".queue"
        self._held: IO[str] | None = None

    def acquire(self) -> bool:
        """Wait for both locks."""
        stream = open(self._queue, "a+", encoding="ascii")  # noqa: SIM115 (closed by release)
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        if stream.read():
            # the last holder died with the link in its hands; nobody else can have taken it since
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._link_file)
        self._link.acquire()
        stream.seek(0)
        stream.truncate()
        stream.write("held")
        stream.flush()
        self._held = stream
        return True

    def release(self) -> None:
        """Give both back."""
        assert self._held is not None, "the lock is not held"
        self._held.seek(0)
        self._held.truncate()
        self._held.flush()
        self._link.release()
        self._held.close()  # which frees the kernel's lock
        self._held = None
