"""A report in headless Chromium without a mouse: find, sort, filter, details; light, dark and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from drugai.reports.page import write_page
from drugai.reports.structures import draw_many
from drugai.reports.tables import Column, RowTable
from tests.browser import Browser, browser, needs_browser

pytestmark = [pytest.mark.slow, needs_browser]

MOLECULES = {
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O", "caffeine": "CN1C=NC2=C1C(=O)N(C)C(=O)N2C", "ibuprofen": "CC(C)Cc1ccc(cc1)C(C)C(=O)O", "ethanol": "CCO",
    "<script>document.title='owned'</script>": "c1ccccc1",
}  # fmt: skip
WEIGHTS = np.array([180.16, 194.19, 206.28, 46.07, 78.11])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    columns = [Column("rank", np.arange(1, 6), ascending=True), Column("id", list(MOLECULES)), Column("weight", WEIGHTS, unit="Da")]
    table = RowTable("hits", list(MOLECULES.values()), columns, draw_many(MOLECULES.values(), 5))
    return write_page(tmp_path_factory.mktemp("page") / "page.html", "table_page.html", title="five", table=table)


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with browser() as found:
        yield found


@pytest.fixture
def page(opened: Browser, file: Path) -> Browser:
    opened.go("about:blank", until="true")
    opened.go(file.as_uri())
    return opened


def shown(page: Browser) -> list[str]:
    return list(page.js("[...document.querySelectorAll('tr.row')].map((tr) => tr.children[2].innerText.replaceAll('\\n', ''))"))


def test_slash_finds_and_enter_opens_the_first_row(page):
    page.press("/", "caff")
    page.wait("document.querySelectorAll('tr.row').length === 1")
    page.press("Enter", "Enter")
    assert page.js("document.getElementById('details').open")
    assert "CN1C=NC2=C1C(=O)N(C)C(=O)N2C" in page.js("document.getElementById('details').innerText")
    page.press("Escape")
    assert not page.js("document.getElementById('details').open")


def test_a_columns_head_is_reached_by_tab_and_sorts_by_enter_both_ways(page):
    page.js("document.getElementById('grid').focus()")
    for _ in range(12):
        page.press("Tab")
        if page.js("document.activeElement.innerText || ''").startswith("weight"):
            break
    order = [list(MOLECULES)[row] for row in np.argsort(-WEIGHTS)]
    page.press("Enter")
    assert shown(page) == order
    assert page.js("document.querySelector('th[aria-sort=descending]').innerText").startswith("weight")
    page.press("Enter")
    assert shown(page) == order[::-1]


def test_a_filter_is_typed_and_arrows_move_through_what_is_left(page):
    page.js("document.querySelector('input[aria-label=\"Filter by weight\"]').focus()")
    page.press("150..200")
    page.wait("document.querySelectorAll('tr.row').length === 2")
    assert shown(page) == ["aspirin", "caffeine"]
    page.js("document.getElementById('grid').focus()")
    page.press("ArrowDown", "ArrowDown", "Enter")
    assert page.js("document.getElementById('details').open")
    assert "194" in page.js("document.getElementById('details').innerText")


def test_a_script_in_a_name_is_a_text_in_the_details_too(page):
    page.js("document.getElementById('grid').focus()")
    page.press("End", "Enter")
    assert "<script>document.title='owned'</script>" in page.js("document.getElementById('details').innerText")
    assert page.js("document.title") == "five"


def test_dark_is_dark_and_paper_has_no_tools(page):
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
    light = page.js(ground)
    page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    dark = page.js(ground)
    assert sum(map(int, light[4:-1].split(","))) > 600
    assert sum(map(int, dark[4:-1].split(","))) < 150
    page.ask("Emulation.setEmulatedMedia", media="print", features=[])
    assert page.js("getComputedStyle(document.querySelector('.tools')).display") == "none"
    assert page.js("getComputedStyle(document.documentElement).backgroundColor") in ("rgb(255, 255, 255)",)
    page.ask("Emulation.setEmulatedMedia", media="", features=[])
    assert page.faults == []
