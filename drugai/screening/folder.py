"""The run folder: its lock, its plan, and which shards are done."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from drugai.artifact import file_checksum, write_text_atomically
from drugai.errors import ArtifactError, ConfigError, DatasetError
from drugai.molecules import LibraryIndex
from drugai.screening.mirror import Mirror
from drugai.screening.plan import Plan, differences
from drugai.screening.shard import Shard, shards_of

log = logging.getLogger(__name__)


class RunFolder:
    """A folder in which one run, or the slices of one run, write shards."""

    def __init__(self, path: str | Path, mirror: Mirror | None = None) -> None:
        self.path = Path(path)
        self.mirror = mirror
        """Where the run lives, if that is an object store and this folder its local half."""

    @property
    def shards(self) -> Path:
        """Folder of the shards."""
        return self.path / "shards"

    @contextmanager
    def locked(self, shard_slice: tuple[int, int] | None = None) -> Iterator[None]:
        """Hold the folder: alone, or beside the other slices of the same run.

        The system frees the lock when its holder dies, however it dies.

        Raises:
            ConfigError: Another run holds it (T10).
        """
        self.shards.mkdir(parents=True, exist_ok=True)
        with open(self.path / "lock", "a+", encoding="utf-8") as whole:
            _hold(whole, exclusive=shard_slice is None, where=self.path)
            if shard_slice is None:
                yield
                return
            name = f"lock.{shard_slice[0]}_of_{shard_slice[1]}"
            with open(self.path / name, "a+", encoding="utf-8") as own:
                _hold(own, exclusive=True, where=self.path / name)
                yield

    def open_plan(self, plan: Plan) -> Plan:
        """The folder's plan if there is one, else the plan given (which is not written yet).

        Raises:
            ConfigError: The folder holds another run; what changed is named (T11).
        """
        file = self.path / "run.json"
        if not file.exists():
            foreign = [entry.name for entry in self.shards.glob("shard_*")]
            if foreign:
                raise ConfigError(f"{self.path}: shards are there but no run.json; use another folder or remove this one")
            return plan
        old = self.read_plan()
        changed = differences(old, plan)
        if changed:
            raise ConfigError(f"{self.path} holds another run: {'; '.join(changed[:10])}. Use another folder, or remove this one to start afresh")
        return plan.decide(old.decision())

    def read_plan(self) -> Plan:
        """The plan in ``run.json``.

        Raises:
            ArtifactError: There is none, or it is damaged.
        """
        file = self.path / "run.json"
        try:
            return Plan.from_dict(json.loads(file.read_text(encoding="utf-8")), str(file))
        except FileNotFoundError:
            raise ArtifactError(f"{self.path}: no run.json there, so it is no folder of a screening run") from None
        except ValueError as error:
            raise ArtifactError(f"{file}: damaged ({error}); remove the folder and start again") from None

    def settle(self, plan: Plan) -> Plan:
        """Write ``run.json``; where another slice was quicker, its decision holds for all and is given back."""
        if (self.path / "run.json").exists():
            return self.open_plan(plan)
        write_text_atomically(self.path / "run.json", json.dumps(plan.to_dict(), indent=1) + "\n")
        if self.mirror is not None:
            self.mirror.put_plan()
        return plan

    def read_index(self, plan: Plan) -> LibraryIndex | None:
        """The index that an earlier start made of the same file, or None."""
        file = self.path / "index.json"
        if not file.exists():
            return None
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
            return LibraryIndex.from_dict(values["index"]) if values["sha256"] == plan.library.sha256 else None
        except (ValueError, KeyError, TypeError):
            return None

    def write_index(self, plan: Plan, index: LibraryIndex) -> None:
        """Keep the index for the workers and for a resumed run."""
        write_text_atomically(self.path / "index.json", json.dumps({"sha256": plan.library.sha256, "index": index.to_dict()}) + "\n")

    def finished(self, plan: Plan, shard: Shard) -> dict[str, Any] | None:
        """The manifest row of a shard whose file verifies, else None."""
        try:
            row: dict[str, Any] = json.loads(shard.row_path.read_text(encoding="utf-8"))
            fits = row["plan"] == plan.checksum and row["start"] == shard.start and row["stop"] == shard.stop
            if fits and os.path.getsize(shard.path) == row["bytes"] and file_checksum(shard.path) == row["sha256"]:
                return row
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        log.warning("%s does not verify and is made again", shard.path)
        return None

    def write_row(self, shard: Shard, row: dict[str, Any]) -> None:
        """Write a manifest row; the shard counts as finished from here on."""
        try:
            write_text_atomically(shard.row_path, json.dumps(row) + "\n")
        except OSError as error:
            raise DatasetError(f"{shard.row_path}: cannot be written ({error.strerror}); make room and start again, the finished shards are kept") from error
        if self.mirror is not None:
            self.mirror.put_shard(shard)

    def clean(self, shards: list[Shard]) -> None:
        """Remove what a killed run left behind in these shards' places."""
        names = {shard.path.stem for shard in shards}
        for entry in self.shards.glob(".shard_*"):
            if entry.name.split(".")[1] in names:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink(missing_ok=True)

    def all_shards(self, plan: Plan) -> list[Shard]:
        """Every shard of the plan."""
        return shards_of(plan, self.shards)


def _hold(stream: IO[str], *, exclusive: bool, where: Path) -> None:
    try:
        fcntl.flock(stream, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        stream.seek(0)
        holder = stream.read().strip() or "unknown"
        raise ConfigError(f"{where}: another run works in this folder (process {holder}); wait for it, or use another folder") from None
    stream.truncate(0)
    stream.write(str(os.getpid()))
    stream.flush()
