"""What makes the site: every page is in the navigation, every command on its page, docstrings keep their brackets."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "making"))


def test_the_reference_has_a_page_for_every_room_and_module():
    from reference import module_pages

    pages = module_pages(ROOT / "drugai")
    expected = {path.stem for path in (ROOT / "drugai").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()} - {"__init__", "__main__"}
    assert set(pages) == expected | {"drugai"}
    assert "::: drugai.molecules.batch" in pages["molecules"]


def test_every_command_is_on_the_page_of_commands():
    from commands import commands_page

    text = commands_page()
    for name in ("train", "predict", "screen", "generate", "link rank", "data fetch", "study best"):
        assert f"drugai {name}\n" in text
    assert "`--rank-by`" in text


def test_docstrings_lose_roles_and_keep_brackets():
    pytest.importorskip("griffe")
    from docstrings import plain

    assert plain("see :func:`~drugai.reports.page.render`") == "see `render`"
    assert plain("``[n](x)`` stays; shape [n](t) is no link") == r"``[n](x)`` stays; shape \[n\](t) is no link"


def test_every_page_under_docs_is_in_the_navigation():
    from navigation import navigation

    docs = ROOT / "docs"
    pages = [str(page.relative_to(docs)) for page in docs.rglob("*.md")]
    listed = str(navigation(pages, ["molecules"]))
    assert [page for page in pages if f"'{page}'" not in listed] == []
    assert "reference/api/molecules.md" in listed


def test_a_page_that_does_not_link_where_it_says_is_found(tmp_path):
    """The strict build refuses a broken link; shown on a site of one page with the same settings of validation."""
    if importlib.util.find_spec("mkdocs") is None:
        pytest.skip("mkdocs is not installed (drugai[docs])")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("[gone](nowhere.md)\n")
    validation = (ROOT / "mkdocs.yml").read_text().partition("\nvalidation:")[2]
    (tmp_path / "mkdocs.yml").write_text(f"site_name: x\nvalidation:{validation}")
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr


def test_the_picture_of_the_house_has_every_room_and_no_import_runs_up():
    from house import PICTURE, floors, imports, picture

    level = {room: number for number, row in enumerate(floors(ROOT / "pyproject.toml")) for room in row}
    edges = imports(ROOT / "drugai")
    assert set(edges) <= set(level)
    assert {"molecules", "predictors"} <= edges["screening"]
    assert [(room, other) for room in edges for other in edges[room] if level[other] <= level[room]] == []
    for drawn in (picture(), PICTURE.read_text()):  # the site draws it anew; the one that is kept may lag by an import, never by a room
        assert [room for room in edges if f">{'command line' if room == 'cli' else room}</text>" not in drawn] == []
        assert 'class="l up"' not in drawn


def test_every_card_is_on_the_page_of_data_sets_and_every_shipped_model_on_its_own():
    from cards import data_sets_page, models_page

    page = data_sets_page(ROOT / "datasets")
    names = [file.parent.name for file in (ROOT / "datasets").glob("*/dataset.toml")]
    assert [name for name in names if f"| `{name}` |" not in page] == []
    assert "MIT (deepchem repo)" in page
    models = models_page(ROOT / "drugai" / "shipped")
    assert [folder.name for folder in (ROOT / "drugai" / "shipped").iterdir() if (folder / "manifest.json").is_file() and f"## `{folder.name}`" not in models] == []
