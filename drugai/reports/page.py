"""The one design of all pages: templates that escape everything, and style and script inside the file."""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from drugai import __version__
from drugai.artifact import write_text_atomically
from drugai.metrics.property import Estimate

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: Any) -> str:
    """A page (or a part of one) from a template of ``drugai/reports/templates``.

    Every text is escaped, whatever it holds; a name that the template needs and is not given is an error. A page template extends ``base.html`` and is given
    ``title`` and, if it has one, ``table`` (:class:`drugai.reports.tables.RowTable`).
    """
    return environment().get_template(template).render(**values)


def write_page(path: str | Path, template: str, **values: Any) -> Path:
    """Render a page into one HTML file, written beside and renamed."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomically(target, render(template, **values))
    return target


@cache
def environment() -> Environment:
    """The templates' environment, with the formats of numbers as filters."""
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.PackageLoader("drugai.reports"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found.filters.update(whole=whole, short=short, bounds=bounds, share=share, unit=pretty_unit)
    found.globals.update(asset=asset, version=__version__)
    return found


def asset(name: str) -> Markup:
    """A file of our own templates, put into the page as it is: style or script. It never holds data."""
    return Markup(resources.files("drugai.reports").joinpath("templates", name).read_text(encoding="utf-8"))


def whole(value: float | int) -> str:
    """``12,345``."""
    return f"{int(value):,}"


def short(value: float | None, digits: int = 3) -> str:
    """Three significant digits; an en dash for what is missing."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:,.0f}"


def interval(estimate: Estimate) -> str:
    """``0.515 [0.429, 0.605]``; a minus sign that lines up with digits; ``–`` where there is no value."""
    if not math.isfinite(estimate.value):
        return "–"
    ends = f" [{estimate.low:.3f}, {estimate.high:.3f}]" if math.isfinite(estimate.low) else ""
    return f"{estimate.value:.3f}{ends}".replace("-", "−")


def bounds(estimate: Estimate) -> Markup:
    """The value, and its interval in small type below; ``–`` where there is no value."""
    value, _, ends = interval(estimate).partition(" ")
    return Markup("{}<small>{}</small>").format(value, ends)


def pretty_unit(text: str) -> str:
    """``-log10 M`` → ``−log₁₀ M``."""
    return text.replace("log10", "log₁₀").replace("-log", "−log")


def share(part: float, total: float) -> str:
    """``12.3 %``."""
    return f"{100 * part / total:.1f} %" if total else "–"
