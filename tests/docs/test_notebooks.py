"""The tutorials as notebooks: every block becomes a cell, and one is executed whole, where results must show themselves with structures."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("jupytext", reason="jupytext is not installed (drugai[docs])")
pytest.importorskip("nbclient", reason="nbclient is not installed (drugai[docs])")

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "making"))

from notebooks import BEGIN, TUTORIALS, notebook  # noqa: E402 - the folder was just put on the path


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_every_block_of_a_tutorial_is_a_cell_in_its_order(page):
    blocks = re.findall(r"^```(sh|python)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    cells = [cell.source for cell in notebook(page).cells if cell.cell_type == "code"]
    assert cells.pop(0) == BEGIN
    expected = [("%%bash\nset -euo pipefail\n" if kind == "sh" else "") + code.rstrip("\n") for kind, code in blocks]
    assert [cell.rstrip("\n") for cell in cells] == expected


@pytest.mark.slow
def test_the_first_tutorial_runs_as_a_notebook_and_its_results_show_structures(tmp_path, monkeypatch):
    from nbclient import NotebookClient

    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = notebook(ROOT / "docs" / "tutorials" / "model-and-screen.md")
    NotebookClient(found, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [
        output["data"]["text/html"] for cell in found.cells if cell.cell_type == "code" for output in cell.outputs if "text/html" in output.get("data", {})
    ]
    assert len(shown) == 2  # predictions, then hits
    for html in shown:
        assert '<svg class="mol"' in html
    assert "E_PARSE" in shown[0]
