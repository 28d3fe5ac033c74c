"""One process at a time asks for a trial, whatever the storage, so that counts are kept and no parameters are given out twice."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any


def storage_file(storage: str | Path) -> Path | None:
    """The file of a journal or an SQLite database; None for a database server."""
    text = str(storage)
    if "://" not in text:
        return Path(text)
    return Path(text.removeprefix("sqlite:///")) if text.startswith("sqlite:///") else None


class Held:
    """The lock while it is held; it remembers for the next holder which trial number was being given out."""

    def __init__(self, stream: IO[str] | None) -> None:
        self._stream = stream
        text = stream.read().strip() if stream is not None else ""
        self.unfinished: int | None = int(text) if text else None
        """The number that a holder who died was giving out."""

    def note(self, number: int | None) -> None:
        """Write down the number that is being given out; None: it is done."""
        if self._stream is not None:
            self._stream.seek(0)
            self._stream.truncate()
            self._stream.write("" if number is None else str(number))
            self._stream.flush()


@contextlib.contextmanager
def exclusive(storage: str | Path) -> Iterator[Held]:
    """Hold the study's lock: a file lock beside a journal or SQLite file, an advisory lock on PostgreSQL. The kernel or the server frees it when the holder dies."""
    file = storage_file(storage)
    if file is not None:
        lock = Path(f"{file}.asking")
        lock.parent.mkdir(parents=True, exist_ok=True)
        with open(lock, "a+", encoding="ascii") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            stream.seek(0)
            yield Held(stream)
        return
    text = server_url(str(storage))
    if not text.startswith("postgresql"):
        yield Held(None)
        return
    import sqlalchemy

    key = int.from_bytes(hashlib.sha256(b"drugai.tuning").digest()[:7], "big")
    with _engine(text).connect() as connection:
        connection.execute(sqlalchemy.text("SELECT pg_advisory_lock(:key)"), {"key": key})
        try:
            yield Held(None)
        finally:
            connection.execute(sqlalchemy.text("SELECT pg_advisory_unlock(:key)"), {"key": key})


def server_url(text: str) -> str:
    """``postgresql://…`` with the driver that is installed: psycopg 3 unless psycopg2 is there alone."""
    import importlib.util

    if text.startswith("postgresql://") and importlib.util.find_spec("psycopg") is not None:
        return text.replace("postgresql://", "postgresql+psycopg://", 1)
    return text


@functools.cache
def _engine(url: str) -> Any:
    import sqlalchemy

    return sqlalchemy.create_engine(url, pool_pre_ping=True)
