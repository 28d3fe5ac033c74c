"""A program as a term of a score: SMILES on its standard input, one number a line on its standard output. Docking, a colleague's script, another language.

The program is called once for some molecules. Where it fails (too late, a status other than 0, too few lines) the molecules are halved until the one is found that it fails at: that
one gets the reason, the others their scores. What it writes in place of a number is the reason of that molecule.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from drugai.errors import E_CRASH, E_TIMEOUT, E_VALUE, ConfigError, reason
from drugai.molecules import MoleculeBatch
from drugai.scoring.terms import Term, Values
from drugai.scoring.transforms import Identity, Transform


def external_term(
    command: Sequence[str],
    name: str,
    transform: Transform | None = None,
    *,
    deadline: float = 60.0,
    batch: int = 50,
    folder: str | Path = ".",
    weight: float = 1.0,
    filter: bool = False,
) -> Term:
    """A term whose values an external program computes.

    Args:
        command: The program and its arguments; no shell reads them.
        name: Of the term.
        transform: Value → desirability.
        deadline: Seconds a molecule: a call with n molecules may take n times that before it is killed with everything that it started.
        batch: Molecules a call.
        folder: Where the program runs; a relative path to it is relative to this.
        weight, filter: Of the term.

    Raises:
        ConfigError: There is no such program, or a setting is out of range.

    Example:
        >>> import sys
        >>> term = external_term([sys.executable, "-c", "import sys; [print(len(line.strip())) for line in sys.stdin]"], "letters")
        >>> term.values(MoleculeBatch(["CCO", "c1ccccc1"]))[0].tolist()
        [3.0, 8.0]
    """
    if not command or isinstance(command, str) or not all(isinstance(word, str) for word in command):
        raise ConfigError(f'term {name!r}: the command is a list of words, for example ["python", "dock.py"]; got {command!r}')
    if deadline <= 0 or batch < 1:
        raise ConfigError(f"term {name!r}: deadline (seconds a molecule) must be positive and batch at least 1, got {deadline} and {batch}")
    place = Path(folder).resolve()
    program = str(place / command[0]) if os.sep in command[0] else command[0]
    if shutil.which(program) is None:
        raise ConfigError(f"term {name!r}: there is no program {command[0]!r} that can be run (looked {'in ' + str(place) if os.sep in command[0] else 'along PATH'})")
    words = [program, *command[1:]]

    def function(molecules: MoleculeBatch) -> Values:
        values, reasons = np.full(len(molecules), np.nan), [""] * len(molecules)
        for begin in range(0, len(molecules), batch):
            rows = list(range(begin, min(begin + batch, len(molecules))))
            _fill(words, place, deadline, name, [molecules.smiles[row] for row in rows], rows, values, reasons)
        return values, reasons

    return Term(name, function, transform or Identity(), weight, cost=1e6, filter=filter)


def _fill(words: Sequence[str], place: Path, deadline: float, name: str, smiles: Sequence[str], rows: Sequence[int], values: np.ndarray, reasons: list[str]) -> None:
    lines, why = _call(words, place, deadline * len(rows), smiles)
    if not why:
        for row, line in zip(rows, lines, strict=True):
            values[row], said = _number(line)
            if math.isnan(values[row]):
                reasons[row] = reason(E_VALUE, f"term {name!r}: the program said {said[:200]!r}")
        return
    if len(rows) == 1:
        code, _, said = why.partition(": ")
        reasons[rows[0]] = reason(code, f"term {name!r}: {said}")
        return
    half = len(rows) // 2
    for part in (slice(None, half), slice(half, None)):
        _fill(words, place, deadline, name, smiles[part], rows[part], values, reasons)


def _call(words: Sequence[str], place: Path, seconds: float, smiles: Sequence[str]) -> tuple[list[str], str]:
    """The lines that the program wrote, one a molecule, or why there are not as many."""
    # a session of its own, so that what the program started is killed with it
    running = subprocess.Popen(words, cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True)
    try:
        said, complained = running.communicate("".join(smi + "\n" for smi in smiles), timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        return [], reason(E_TIMEOUT, f"no score within {seconds:g} s")
    except BaseException:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        raise
    if running.returncode:
        last = next((line.strip() for line in reversed(complained.splitlines()) if line.strip()), "it said nothing")
        how = f"was ended by signal {-running.returncode}" if running.returncode < 0 else f"ended with status {running.returncode}"
        return [], reason(E_CRASH, f"the program {how}: {last[:200]}")
    lines = said.splitlines()
    if len(lines) != len(smiles):
        return [], reason(E_VALUE, f"the program wrote {len(lines)} lines for {len(smiles)} molecules; it must write one a molecule")
    return lines, ""


def _number(line: str) -> tuple[float, str]:
    try:
        return float(line), line.strip()
    except ValueError:
        return math.nan, line.strip()
