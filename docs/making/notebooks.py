"""The tutorials as notebooks: python docs/making/notebooks.py [FOLDER], by default notebooks/. Shell blocks become %%bash cells; Predictions and hits show themselves as tables with structures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
HEAD = "---\njupyter:\n  kernelspec:\n    display_name: Python 3\n    language: python\n    name: python3\n---\n\n"
"""Without it jupytext takes the language of most blocks, the shell's, for that of the notebook."""
BEGIN = "%load_ext drugai.reports"


def notebook(page: Path) -> Any:
    """A page as a notebook (nbformat 4), with a first cell that makes results show themselves."""
    import jupytext
    from nbformat.v4 import new_code_cell

    text = page.read_text(encoding="utf-8").replace("```sh\n", "```bash\n")
    found = jupytext.reads(HEAD + text, fmt="md")
    for cell in found.cells:
        if cell.cell_type == "code" and cell.source.startswith("%%bash"):
            cell.source = cell.source.replace("%%bash", "%%bash\nset -euo pipefail", 1)
    found.cells.insert(1, new_code_cell(BEGIN))
    return found


def write_notebooks(folder: Path) -> list[Path]:
    """Every tutorial as a notebook in the folder."""
    import nbformat

    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for page in TUTORIALS:
        target = folder / f"{page.stem}.ipynb"
        nbformat.write(notebook(page), target)
        out.append(target)
    return out


if __name__ == "__main__":
    for place in write_notebooks(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "notebooks"):
        sys.stdout.write(f"{place}\n")
