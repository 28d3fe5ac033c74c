"""A run folder in an object store: worked on in a folder of this machine, each finished shard put into the store at once.

A store cannot lock and cannot rename, but it shows an object whole or not at all: so a shard's Parquet file is put first and its manifest row last, and what has a row is whole. At the start the rows
of finished shards are fetched (and, to merge, their files), verified as in any resume, and skipped.
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from drugai.screening.shard import Shard
from drugai.stores import RemoteFile

log = logging.getLogger(__name__)

_PLAN = ("run.json", "index.json")


def scratch_of(uri: str, shard_slice: tuple[int, int] | None) -> Path:
    """The local half of a run in a store: a folder of the user's cache named after the URI and the slice."""
    name = hashlib.sha256(uri.encode()).hexdigest()[:16] + (f"_{shard_slice[0]}_of_{shard_slice[1]}" if shard_slice is not None else "")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "drugai" / "screens" / name


class Mirror:
    """Keeps a local run folder and its counterpart in a store alike.

    Args:
        uri: Of the run in the store.
        folder: The local folder. Two processes must not share one; shard slices on different machines each have their own.
    """

    def __init__(self, uri: str, folder: Path) -> None:
        self.remote = RemoteFile(uri)
        self.folder = folder

    def fetch(self) -> int:
        """Bring here what the store has of the plan and of finished shards, and this folder has not; the number of objects fetched."""
        (self.folder / "shards").mkdir(parents=True, exist_ok=True)
        names = set(self.remote.names())
        rows = [name for name in names if name.startswith("shards/") and name.endswith(".json")]
        wanted = [name for name in _PLAN if name in names]
        for row in sorted(rows):
            data = next((name for name in (row.removesuffix(".json") + end for end in (".parquet", ".safetensors")) if name in names), None)
            wanted += [data, row] if data is not None else []  # a row without its file says nothing
        count = 0
        for name in wanted:
            target = self.folder / name
            if target.exists() and name not in _PLAN:
                continue
            data_here = self.remote.child(name).read_bytes()
            beside = target.with_name(f".{target.name}.part")
            beside.write_bytes(data_here)
            beside.replace(target)
            count += 1
        if count:
            log.info("%d objects fetched from %s", count, self.remote)
        return count

    def put_plan(self) -> None:
        """Put the plan and the index."""
        for name in _PLAN:
            if (self.folder / name).is_file():
                self._put(name)

    def put_shard(self, shard: Shard) -> None:
        """Put a finished shard, its row last."""
        self._put(f"shards/{shard.path.name}")
        self._put(f"shards/{shard.row_path.name}")

    def put_results(self, names: list[str]) -> None:
        """Put the hits and the summary."""
        for name in names:
            self._put(name)

    def _put(self, name: str) -> None:
        self.remote.child(name).write_bytes((self.folder / name).read_bytes())
