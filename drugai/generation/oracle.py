"""The scorer of an optimisation run: budgeted, safe against scorers that raise, and written down molecule by molecule so that a killed run pays for nothing twice."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drugai.contracts import Scorer, Scores
from drugai.errors import E_VALUE, ArtifactError, ConfigError, reason
from drugai.molecules import MoleculeBatch
from drugai.molecules.writing import atomic_file
from drugai.scoring import Budgeted

logger = logging.getLogger(__name__)

LOG = "scored.jsonl"
SETTINGS = "run.json"


@dataclass(frozen=True)
class Scored:
    """One molecule that the scorer was paid for.

    Attributes:
        smiles: Canonical.
        total: In [0, 1]; 0 where there is a reason.
        parts, raw: By term, desirability and raw value; NaN where the term was not reached.
        reason: ``""`` for a molecule that is fine.
        step, origin: When and by what it was proposed first.
    """

    smiles: str
    total: float
    parts: Mapping[str, float]
    raw: Mapping[str, float]
    reason: str
    step: int
    origin: str


class SafeScorer:
    """A scorer that never raises: a batch at which it does is asked molecule by molecule, and a NaN becomes a reason that names the term."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer

    def score(self, molecules: Sequence[str] | MoleculeBatch) -> Scores:
        """Score n molecules; n rows whatever happens."""
        batch = MoleculeBatch.of(molecules)
        n = len(batch)
        try:
            found = self.scorer.score(batch)
            if np.shape(found.total) != (n,) or len(found.reasons) != n:
                raise ConfigError(f"the scorer gave {np.size(found.total)} totals and {len(found.reasons)} reasons for {n} molecules")
        except Exception as error:  # anything a user's scorer may raise: after hours of a run it costs one molecule, not the run
            if n > 1:
                return _stacked([self.score(batch.take([row])) for row in range(n)])
            logger.warning("the scorer raised at %s: %s", batch.smiles[0] if n else "no molecule", error)
            return Scores(np.zeros(n), {}, {}, tuple(reason(E_VALUE, f"the scorer raised {type(error).__name__}: {error}") for _ in range(n)))
        total, reasons = np.array(found.total, dtype=float), list(found.reasons)
        for row in np.flatnonzero(~np.isfinite(total)):
            blank = [name for name, values in found.parts.items() if not np.isfinite(values[row])]
            reasons[row] = reasons[row] or reason(E_VALUE, f"no number (NaN) from {'term ' + ', '.join(map(repr, blank)) if blank else 'the scorer'}")
            total[row] = 0.0
        return Scores(np.clip(total, 0.0, 1.0), found.parts, found.raw, tuple(reasons))


class Oracle:
    """A budgeted scorer with a memory on disk.

    Args:
        scorer: Any Scorer.
        budget: Different molecules that may be scored, those of an earlier part of the run among them.
        out: Folder of the run, or None to keep nothing.
        settings: What the run's course depends on; a folder with other settings is refused.
        chunk: Molecules that are scored before they are written down.

    Raises:
        ConfigError: ``out`` holds a run with other settings.
        ArtifactError: Its log is damaged before the last line.
    """

    def __init__(self, scorer: Scorer, budget: int, out: Path | None = None, settings: Mapping[str, Any] | None = None, *, chunk: int = 50) -> None:
        self.budgeted = Budgeted(SafeScorer(scorer), budget)
        self.scored: list[Scored] = []
        self.n_resumed = 0
        self._chunk = chunk
        self._log = None if out is None else out / LOG
        if out is not None:
            _check_settings(out / SETTINGS, settings or {})
            self._resume()

    @property
    def left(self) -> int:
        """Molecules that may still be scored."""
        return self.budgeted.left

    def score(self, molecules: Sequence[str], step: int, origins: Sequence[str]) -> Scores:
        """Scores of n molecules; what is new is paid for and written down."""
        found = []
        for begin in range(0, len(molecules), self._chunk):
            part = MoleculeBatch(molecules[begin : begin + self._chunk])
            before = len(self.budgeted.known)
            found.append(self.budgeted.score(part))
            first = dict(reversed(list(zip(part.canonical, origins[begin : begin + self._chunk], strict=True))))
            fresh = list(self.budgeted.known)[before:]
            self._write([Scored(smi, *self.budgeted.known[smi], step, first[smi]) for smi in fresh])
        return _stacked(found)

    def _write(self, fresh: Sequence[Scored]) -> None:
        self.scored.extend(fresh)
        if self._log is not None and fresh:
            with self._log.open("a", encoding="utf-8") as stream:
                stream.write("".join(json.dumps(_plain(one)) + "\n" for one in fresh))

    def _resume(self) -> None:
        """Take what an earlier part of the run has paid for; a last line that was cut by a kill is dropped."""
        assert self._log is not None
        if not self._log.is_file():
            return
        data = self._log.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            with self._log.open("r+b") as stream:
                stream.truncate(len(whole))
        for one in read_log(self._log):
            self.scored.append(one)
            self.budgeted.known[one.smiles] = (one.total, dict(one.parts), dict(one.raw), one.reason)
        self.n_resumed = len(self.scored)
        if self.scored:
            logger.info("%d molecules were scored before and are not paid for again", self.n_resumed)


def read_log(log: Path) -> list[Scored]:
    """What a run has paid for; a last line without its end, which a kill leaves, is passed over. Raises ArtifactError for one that is damaged elsewhere."""
    data = log.read_bytes()
    found = []
    for number, line in enumerate(data[: data.rfind(b"\n") + 1].splitlines(), start=1):
        try:
            entry = json.loads(line)
            found.append(Scored(**{**entry, "parts": _numbers(entry["parts"]), "raw": _numbers(entry["raw"])}))
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{log} line {number} is damaged ({error}); mend or remove the line, or start in another folder") from None
    return found


def _check_settings(file: Path, settings: Mapping[str, Any]) -> None:
    text = json.dumps(settings, indent=1, sort_keys=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.is_file():
        with atomic_file(file) as stream:
            stream.write(text.encode())
        return
    before, now = json.loads(file.read_text(encoding="utf-8")), json.loads(text)
    other = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
    if other:
        said = "; ".join(f"{key} was {str(before.get(key))[:80]}, is {str(now.get(key))[:80]}" for key in other[:5])
        raise ConfigError(f"{file.parent} holds a run with other settings ({said}); use another folder, or the settings of before to go on")


def _stacked(found: Sequence[Scores]) -> Scores:
    if not found:
        return Scores(np.zeros(0), {}, {}, ())

    def columns(which: str) -> dict[str, np.ndarray]:
        names = list(dict.fromkeys(name for one in found for name in getattr(one, which)))
        return {name: np.concatenate([getattr(one, which).get(name, np.full(len(one), np.nan)) for one in found]) for name in names}

    return Scores(np.concatenate([one.total for one in found]), columns("parts"), columns("raw"), tuple(text for one in found for text in one.reasons))


def _plain(one: Scored) -> dict[str, Any]:
    def values(part: Mapping[str, float]) -> dict[str, float | None]:
        return {name: None if math.isnan(value) else value for name, value in part.items()}

    return {**one.__dict__, "parts": values(one.parts), "raw": values(one.raw)}


def _numbers(part: Mapping[str, float | None]) -> dict[str, float]:
    return {name: math.nan if value is None else float(value) for name, value in part.items()}
