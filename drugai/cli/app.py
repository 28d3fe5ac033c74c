"""The program with all its commands."""

from drugai.cli.program import build

app = build()
