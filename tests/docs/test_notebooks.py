"""The tutorials as notebooks: every block becomes a cell, each notebook is executed whole, and results show themselves with structures."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("jupytext", reason="jupytext is not installed (drugai[docs])")
pytest.importorskip("nbclient", reason="nbclient is not installed (drugai[docs])")

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "docs" / "making"), str(ROOT / "tests" / "docs")]

from notebooks import BEGIN, TUTORIALS, notebook  # noqa: E402 - the folder was just put on the path
from test_snippets import programs  # noqa: E402


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_every_block_of_a_tutorial_is_a_cell_in_its_order(page):
    blocks = re.findall(r"^```(sh|python)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    cells = [cell.source for cell in notebook(page).cells if cell.cell_type == "code"]
    assert cells.pop(0) == BEGIN
    expected = [("%%bash\nset -euo pipefail\n" if kind == "sh" else "") + code.rstrip("\n") for kind, code in blocks]
    assert [cell.rstrip("\n") for cell in cells] == expected


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Runs a notebook in an empty folder, with this Python's programs and the checkout's drugai."""
    from nbclient import NotebookClient

    monkeypatch.setenv("PATH", programs())
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def run(page):
        found = notebook(page)
        NotebookClient(found, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
        return found

    return run


def shown(found):
    """The HTML that each cell showed."""
    return [output["data"]["text/html"] for cell in found.cells if cell.cell_type == "code" for output in cell.outputs if "text/html" in output.get("data", {})]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_a_tutorial_runs_whole_as_a_notebook(page, kernel):
    found = kernel(page)
    cells = [cell for cell in found.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    if page.stem == "model-and-screen":
        tables = shown(found)
        assert len(tables) == 2  # predictions, then hits
        for html in tables:
            assert '<svg class="mol"' in html
        assert "E_PARSE" in tables[0]
