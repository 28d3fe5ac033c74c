"""How much the app takes at once. More than this belongs on the command line, which streams."""

from __future__ import annotations

TEXT_BYTES = 2_000_000
"""A pasted list or text."""
FILE_BYTES = 64_000_000
"""An uploaded file."""
ROWS = {"admet": 20_000, "predict": 20_000, "screen": 200_000}
"""Molecules of a job."""
SHOWN = 10_000
"""Rows on a result's page; the file has all."""
EXPLAINED = 50
"""Molecules whose atoms are coloured: one more prediction an atom."""
BUDGET = 20_000
"""Molecules that an optimisation may score."""
QUERY_CHARACTERS = 5_000
"""Of a drug's or disease's description."""
KEPT_JOBS = 200
"""Jobs listed on the front page."""
