"""The page of all commands, from the command line's own declarations."""

from __future__ import annotations

from typing import Any


def commands_page() -> str:
    """Markdown: each command with its arguments and options."""
    import typer.main

    from drugai.cli.app import app

    parts = ["# Commands", "", "Every command of `drugai`, as `drugai COMMAND --help` says it.", ""]
    _describe(typer.main.get_command(app), "drugai", parts)
    return "\n".join(parts)


def _describe(command: Any, path: str, parts: list[str]) -> None:
    children = getattr(command, "commands", None)
    if children is not None:
        if path.count(" ") == 1:
            parts += [f"## {path}", "", command.help or "", ""]
        for name in sorted(children):
            _describe(children[name], f"{path} {name}", parts)
        return
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and "--help" not in one.opts]
    usage = " ".join([path, *(one.name.upper() if one.required else f"[{one.name.upper()}]" for one in arguments)])
    parts += [f"{'###' if path.count(' ') > 1 else '##'} {path}", "", (command.help or "").strip(), "", f"    {usage}", ""]
    rows = [(f"`{one.name.upper()}`", one.help, _default(one)) for one in arguments]
    rows += [(", ".join(f"`{name}`" for name in one.opts), one.help, _default(one)) for one in options]
    if rows:
        parts += ["| | | default |", "|---|---|---|", *(f"| {name} | {_cell(text or '')} | {_cell(default)} |" for name, text, default in rows), ""]


def _default(option: Any) -> str:
    if option.required:
        return "required"
    value = option.default
    if value is None or callable(value) or value in ((), [], ""):
        return ""
    return f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ") if not text.startswith("`") else text.replace("|", "\\|")
