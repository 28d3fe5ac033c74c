"""The command line: parse, call, print; no logic. Nothing heavy is imported until a command runs."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of ``drugai``: errors that users can mend are one line and exit status 2."""
    from drugai.cli.program import build
    from drugai.errors import DrugaiError

    app = build(sys.argv[1:])
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
