"""The next chunk is made ready in a thread while this one is scored: parsing and network arithmetic both let the other run meanwhile."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")


def run_ahead(items: Iterator[T]) -> Iterator[T]:
    """The items in their order, the next one made in a thread of its own while the last is used; an error of the making is raised in its place.

    One item waits and one is made, so that memory holds three at most. When the consumer ends early, so does the thread.
    """
    ready: queue.Queue[tuple[str, T | BaseException | None]] = queue.Queue(maxsize=1)
    ended = threading.Event()

    def put(kind: str, item: T | BaseException | None) -> bool:
        while not ended.is_set():
            try:
                ready.put((kind, item), timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    def make() -> None:
        try:
            for item in items:
                if not put("item", item):
                    return
        except BaseException as error:  # handed over and raised by the consumer, whatever it is
            put("error", error)
        else:
            put("end", None)

    thread = threading.Thread(target=make, name="drugai-ahead", daemon=True)
    thread.start()
    try:
        while True:
            kind, item = ready.get()
            if kind == "end":
                return
            if kind == "error":
                assert isinstance(item, BaseException)
                raise item
            yield item  # type: ignore[misc]
    finally:
        ended.set()
        thread.join()
