"""How a predictor becomes a folder and comes back, an ensemble of predictors in one folder included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drugai.artifact import Artifact, write_artifact
from drugai.contracts import Task

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Packed:
    """A predictor as plain values, tensors and texts."""

    kind: str
    config: dict[str, Any]
    record: dict[str, Any]
    arrays: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def write(self, path: str | Path) -> Path:
        """Write the artifact folder."""
        return write_artifact(path, f"predictor/{self.kind}", config=self.config, arrays=self.arrays, texts=self.texts, record=self.record)


@dataclass(frozen=True, eq=False)
class Stored:
    """What a predictor is rebuilt from: a verified artifact, or one member of an ensemble inside it."""

    artifact: Artifact
    kind: str
    config: dict[str, Any]
    record: dict[str, Any]
    prefix: str = ""

    @classmethod
    def of(cls, artifact: Artifact) -> Stored:
        """The predictor that fills an artifact."""
        own = {"format", "kind", "config", "versions", "files"}
        record = {key: value for key, value in artifact.manifest.items() if key not in own}
        return cls(artifact, artifact.kind.partition("/")[2], artifact.config, record)

    def member(self, index: int) -> Stored:
        """Member ``index`` of an ensemble."""
        entry = self.record["members"][index]
        return Stored(self.artifact, entry["kind"], entry["config"], entry["record"], f"{self.prefix}member_{index}/")

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """Tensors as numpy arrays."""
        return self.artifact.arrays(self.prefix + name)

    def tensors(self, name: str) -> dict[str, torch.Tensor]:
        """Tensors as torch tensors."""
        return self.artifact.tensors(self.prefix + name)

    def text(self, name: str) -> str:
        """A text file."""
        return self.artifact.text(self.prefix + name)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that the predictor was trained for."""
        return read_tasks(self.record["tasks"])


def pack_members(members: Sequence[Packed]) -> tuple[list[dict[str, Any]], dict[str, Mapping[str, Any]], dict[str, str]]:
    """Members as entries for the ensemble's record, and their tensors and texts under ``member_<i>/``."""
    entries: list[dict[str, Any]] = []
    arrays: dict[str, Mapping[str, Any]] = {}
    texts: dict[str, str] = {}
    for index, member in enumerate(members):
        entries.append({"kind": member.kind, "config": member.config, "record": member.record})
        arrays.update({f"member_{index}/{name}": value for name, value in member.arrays.items()})
        texts.update({f"member_{index}/{name}": value for name, value in member.texts.items()})
    return entries, arrays, texts


def write_tasks(tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Tasks as plain values."""
    return [asdict(task) for task in tasks]


def read_tasks(entries: Sequence[Mapping[str, Any]]) -> tuple[Task, ...]:
    """Tasks from plain values."""
    return tuple(Task(**entry) for entry in entries)
