"""The command line: parse, call, print; no logic. Nothing heavy is imported until a command runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typer import Typer


def _only_asked(app: Typer, words: Sequence[str]) -> None:
    """Leave in the program just the command that was asked for: typer looks at every parameter of every command that it holds, a tenth of a second for all of them.

    Where no command can be told (help of the whole, an option with a value before the command, a typing error) all stay.
    """
    name = next((word for word in words if not word.startswith("-")), None)
    commands = [one for one in app.registered_commands if one.name == name]
    groups = [one for one in app.registered_groups if one.name == name]
    if commands or groups:
        app.registered_commands, app.registered_groups = commands, groups


def main() -> None:
    """Entry point of ``drugai``: errors that users can mend are one line and exit status 2."""
    from drugai.cli.app import app
    from drugai.errors import DrugaiError

    _only_asked(app, sys.argv[1:])
    try:
        app()
    except DrugaiError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(2)
    except BrokenPipeError:
        # the reader of our output (head, less) left
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
