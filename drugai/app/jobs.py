"""Jobs: what was asked for and what became of it, each a folder of its own, so that nothing is lost when a page is loaded again or the app is stopped."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from drugai.artifact import write_text_atomically
from drugai.errors import ArtifactError

State = Literal["waiting", "running", "done", "failed", "stopped"]
ENDED: tuple[State, ...] = ("done", "failed", "stopped")
_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}")


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        id: ``YYYYMMDD-HHMMSS-`` and eight random hexadecimal digits; the name of its folder.
        kind: predict, admet, screen, link or optimize.
        asked: The checked request.
        state: waiting, running, done, failed or stopped.
        done, total: Progress, in the unit that ``words`` names; total 0 while it is not known.
        words: What it is doing, or why it failed.
        result: What the kind's page shows beside the files of the folder.
        created, ended: Seconds since 1970; ended 0 until it has.
    """

    id: str
    kind: str
    asked: Mapping[str, Any]
    state: State = "waiting"
    done: int = 0
    total: int = 0
    words: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    created: float = 0.0
    ended: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in ENDED


class JobStore:
    """The jobs of one folder, ``<root>/<id>/job.json`` each."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.root.mkdir(parents=True, exist_ok=True)

    def folder(self, name: str) -> Path:
        """The folder of a job.

        Raises:
            ArtifactError: The name is no job's name, whatever else it may be a path to.
        """
        if not _ID.fullmatch(name):
            raise ArtifactError(f"{name!r} is no job; a job is named like 20260131-120000-0123abcd")
        return self.root / name

    def create(self, kind: str, asked: Mapping[str, Any]) -> Job:
        """A new job, waiting."""
        now = time.time()
        job = Job(f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{secrets.token_hex(4)}", kind, dict(asked), created=now)
        self.folder(job.id).mkdir()
        return self.write(job)

    def write(self, job: Job) -> Job:
        """Keep a job as it is now."""
        write_text_atomically(self.folder(job.id) / "job.json", json.dumps(asdict(job), indent=1) + "\n")
        return job

    def change(self, name: str, **changes: Any) -> Job:
        """Read, change, keep."""
        return self.write(replace(self.read(name), **changes))

    def read(self, name: str) -> Job:
        """One job.

        Raises:
            ArtifactError: There is none of that name, or its file is damaged.
        """
        file = self.folder(name) / "job.json"
        try:
            return Job(**json.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise ArtifactError(f"there is no job {name}; it may have been removed") from None
        except (ValueError, TypeError) as error:
            raise ArtifactError(f"{file}: damaged ({error}); remove the folder") from None

    def names(self) -> list[str]:
        """All jobs, the newest first."""
        return sorted((entry.name for entry in self.root.iterdir() if _ID.fullmatch(entry.name) and (entry / "job.json").is_file()), reverse=True)

    def remove(self, name: str) -> None:
        """Delete a job and its files."""
        shutil.rmtree(self.folder(name))
