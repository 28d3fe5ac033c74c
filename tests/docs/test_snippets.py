"""Every shell and Python snippet of the how-tos (and tutorials) runs, in order, in an empty folder.

A page may begin with ``<!-- needs: psycopg, initdb -->``: modules or programs without which it is skipped.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# the tutorials run as notebooks, cell by cell (test_notebooks.py), where what that needs is installed
NOTEBOOKS = all(importlib.util.find_spec(name) for name in ("jupytext", "nbclient", "ipykernel"))
PAGES = sorted([*(ROOT / "docs" / "how-to").glob("*.md"), *([] if NOTEBOOKS else (ROOT / "docs" / "tutorials").glob("*.md"))])
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEEDS = re.compile(r"<!-- needs: (.*?) -->")


def programs() -> str:
    """PATH with this Python's scripts, and the newest PostgreSQL that Debian hides from it."""
    servers = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)) if Path("/usr/lib/postgresql").is_dir() else []
    return os.pathsep.join([str(Path(sys.executable).parent), *map(str, servers[-1:]), os.environ.get("PATH", "")])


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_the_snippets_of_a_page_run(page, tmp_path):
    text = page.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    if not blocks:
        pytest.skip("a page without snippets")
    path = programs()
    for need in NEEDS.search(text).group(1).split(", ") if NEEDS.search(text) else []:
        if importlib.util.find_spec(need) is None and shutil.which(need, path=path) is None:
            pytest.skip(f"{need} is not installed")
    environment = {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]), "OMP_NUM_THREADS": "1"}
    for number, (kind, block) in enumerate(blocks, start=1):
        command = ["bash", "-euo", "pipefail", "-c", block] if kind == "sh" else [sys.executable, "-c", block]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{page.name}, snippet {number}:\n{block}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
