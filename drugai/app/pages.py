"""The app's own pages, in the design of all reports."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import jinja2

from drugai.app import limits
from drugai.app.asking import ALERTS, METHODS
from drugai.app.jobs import Job
from drugai.app.shelf import Shelved
from drugai.errors import ConfigError
from drugai.reports.page import environment

_STATIC = {"app.js": "text/javascript; charset=utf-8", "app.css": "text/css; charset=utf-8"}
KINDS = {"predict": "Predict", "admet": "ADMET", "screen": "Screen", "link": "Link", "optimize": "Optimise"}


def front_page(models: Mapping[str, Shelved], jobs: Sequence[Job], folders: Sequence[str]) -> str:
    """The forms, and the jobs so far."""
    shelf = [
        {
            "name": one.name,
            "kind": one.kind,
            "calibrated": one.calibrated,
            "tasks": [{"name": name, "unit": unit, "kind": kind} for name, unit, kind in one.tasks],
        }
        for one in models.values()
    ]
    listed = [{"job": job, "about": about(job), "when": _when(job.created)} for job in jobs]
    return (
        _pages()
        .get_template("front.html")
        .render(title="drugai", models=shelf, jobs=listed, folders=", ".join(folders), kinds=KINDS, alerts=ALERTS, methods=METHODS, limits=limits)
    )


def job_page(job: Job) -> str:
    """One job."""
    took = f"{job.ended - job.created:.0f} s" if job.ended else ""
    facts = {"Asked": about(job), "Begun": _when(job.created), "Took": took, **_facts(job)}
    return (
        _pages()
        .get_template("job.html")
        .render(title=f"{KINDS.get(job.kind, job.kind)}: {about(job)}", job=job, facts={name: text for name, text in facts.items() if text})
    )


def about(job: Job) -> str:
    """A job in a few words."""
    asked = job.asked
    if job.kind == "predict":
        level = asked.get("level")
        return f"{asked.get('model')}" + (f", {100 * level:.0f} % intervals" if level else "")
    if job.kind == "admet":
        return f"all endpoints, {100 * asked['level']:.0f} % intervals"
    if job.kind == "screen":
        return f"{asked.get('model')}, {asked.get('rank_by')}"
    if job.kind == "link":
        text = str(asked.get("text") or asked.get("smiles"))
        return text if len(text) <= 90 else text[:88] + " …"
    return f"{asked.get('budget'):,} molecules, {asked.get('method')}"


def static_file(name: str) -> tuple[str, str]:
    """Text and media type of a file of the app itself."""
    if name not in _STATIC:
        raise ConfigError(f"the app has no file {name!r}")
    return resources.files("drugai.app").joinpath("templates", name).read_text(encoding="utf-8"), _STATIC[name]


def _facts(job: Job) -> dict[str, str]:
    result = job.result
    if not result or "n" not in result:
        return {}
    bad = ", ".join(f"{count:,} {code}" for code, count in result.get("reasons", {}).items())
    return {
        "Molecules": f"{result['n']:,}",
        "Could not be used": bad,
        "Kept": f"{result['hits']:,}" if "hits" in result else "",
        "Note": " ".join(result.get("notes", [])),
    }


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


@cache
def _pages() -> jinja2.Environment:
    shared: Any = environment()
    return shared.overlay(loader=jinja2.ChoiceLoader([jinja2.PackageLoader("drugai.app"), shared.loader]))
