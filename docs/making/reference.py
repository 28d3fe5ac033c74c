"""The Python reference: one page a room, its modules in order, every public name from its docstring."""

from __future__ import annotations

import ast
from pathlib import Path


def module_pages(package: Path) -> dict[str, str]:
    """Name of a room (or of a module on the ground) → the text of its page, which mkdocstrings fills."""
    rooms = sorted(path for path in package.iterdir() if (path / "__init__.py").is_file())
    single = sorted(path for path in package.glob("*.py") if path.stem not in ("__init__", "__main__"))
    pages = {"drugai": page("drugai", [package / "__init__.py"], package)}
    for room in rooms:
        files = sorted(room.rglob("*.py"), key=lambda file: (file.parent != room, file.parent, file.name != "__init__.py", file.name))
        pages[room.name] = page(f"drugai.{room.name}", files, package)
    pages |= {file.stem: page(f"drugai.{file.stem}", [file], package) for file in single}
    return pages


def page(title: str, files: list[Path], package: Path) -> str:
    """A head, then for each module its name and what mkdocstrings makes of it; modules without a public name are left out."""
    parts = [f"# {title}\n"]
    for file in files:
        dotted = ".".join(["drugai", *file.relative_to(package).with_suffix("").parts]).removesuffix(".__init__")
        if dotted != title:
            if not public_names(file):
                continue
            parts.append(f"## {dotted.removeprefix('drugai.')}\n")
        parts.append(f"::: {dotted}\n")
    return "\n".join(parts)


def public_names(file: Path) -> list[str]:
    """Functions and classes at the top of a module whose names do not begin with an underscore."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_")]
