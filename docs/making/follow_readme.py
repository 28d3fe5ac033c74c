"""Follow the README line by line, as a stranger would: python docs/making/follow_readme.py in an empty folder (drugai installed; --make to run the `make` lines too, from a checkout).

Every command must exit with 0, and a block of text must be what the block before it printed; ``…`` stands for what differs from run to run.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
_BLOCK = re.compile(r"^```(sh|python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """One thing to do: shell line or Python block, and the text that it must print ("" where none is shown)."""

    kind: str
    code: str
    shown: str = ""


def steps(text: str) -> list[Step]:
    """Shell blocks line by line, Python blocks whole; a text block belongs to the last step before it."""
    found: list[Step] = []
    for kind, block in _BLOCK.findall(text):
        if kind == "text":
            found[-1] = Step(found[-1].kind, found[-1].code, block)
        elif kind == "python":
            found.append(Step(kind, block))
        else:
            found += [Step(kind, line) for line in block.replace("\\\n", " ").splitlines() if line.split("#")[0].strip()]
    return found


def is_for_a_checkout(step: Step) -> bool:
    """Whether a step installs or makes, and so is shown elsewhere (by continuous integration and the test of the wheel)."""
    return step.kind == "sh" and step.code.split()[0] in ("make", "pip")


def commands(text: str) -> Iterator[list[str]]:
    """The drugai commands of the README, as lists of arguments."""
    for step in steps(text):
        if step.kind == "sh" and step.code.startswith("drugai "):
            yield shlex.split(step.code, comments=True)


def matches(shown: str, printed: str) -> bool:
    """Whether the shown text is somewhere in what was printed, line after line.

    A line of ``…`` alone stands for any number of lines, within a line for anything. A number with a decimal point may differ by 0.05, or by 5 %: another processor rounds otherwise.
    """
    pattern, numbers = "", []
    for line in shown.strip("\n").splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
            continue
        for part in re.split(r"(…|(?<![\d.…])-?\d+\.\d+(?![\d…]))", line.rstrip()):
            if part == "…":
                pattern += r"[^\n]*"
            elif re.fullmatch(r"-?\d+\.\d+", part):
                numbers.append(float(part))
                pattern += r"(-?\d+\.\d+)"
            else:
                pattern += re.escape(part)
        pattern += r"[^\S\n]*\n"
    found = re.search(pattern, printed.rstrip("\n") + "\n")
    return found is not None and all(abs(float(got) - told) <= max(0.05, 0.05 * abs(told)) for got, told in zip(found.groups(), numbers, strict=True))


def follow(step: Step, folder: Path, environment: Mapping[str, str]) -> str:
    """Do one step; what is wrong in words, "" if nothing is."""
    command = ["bash", "-euo", "pipefail", "-c", step.code] if step.kind == "sh" else [sys.executable, "-c", step.code]
    done = subprocess.run(command, cwd=folder, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"{step.code}\nexit status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-3000:]}"
    if step.shown and not matches(step.shown, done.stdout):
        return f"{step.code}\nshows\n{step.shown}\nbut printed\n{done.stdout[-3000:]}"
    return ""


if __name__ == "__main__":
    for one in steps(README.read_text(encoding="utf-8")):
        if is_for_a_checkout(one) and "--make" not in sys.argv:
            continue
        sys.stdout.write(f"$ {one.code.strip()}\n")
        wrong = follow(one, Path.cwd(), os.environ)
        if wrong:
            sys.exit(wrong)
