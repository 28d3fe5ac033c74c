"""A griffe extension: what our docstrings mean otherwise than Markdown does, before the site renders them."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":(?:func|class|mod|meth|attr|data|exc):`~?(?:[\w.]+\.)?(\w+)`")
_CODE = re.compile(r"(``.*?``|`[^`\n]*`)", re.DOTALL)


def plain(text: str) -> str:
    """Sphinx's roles as plain code, and ``[n, t](…)`` or ``[0][1]`` as brackets in place of links: no docstring links by Markdown."""
    text = _ROLE.sub(r"`\1`", text).replace("::\n\n", ":\n\n")
    parts = _CODE.split(text)
    parts[::2] = [re.sub(r"(?<!\\)([\[\]])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


class PlainDocstrings(griffe.Extension):
    """Rewrites every docstring by :func:`plain`."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called once an object and its members are there."""
        if obj.docstring is not None:
            obj.docstring.value = plain(obj.docstring.value)
