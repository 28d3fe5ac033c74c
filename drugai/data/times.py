"""A column of dates → numbers that sort in time."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np

from drugai.errors import DatasetError


def read_times(values: np.ndarray, name: str, column: str, rows: np.ndarray) -> np.ndarray:
    """Times of a data set, ``[n]`` float64, NaN outside ``rows``.

    Numbers (a year, a day count) are taken as they are; texts are ISO dates or date-times (``2021-03``, ``2021-03-09``, ``2021-03-09T12:00``).

    Raises:
        DatasetError: a cell in ``rows`` is empty or neither; up to ten are named.
    """
    times = np.full(len(values), np.nan)
    bad: list[str] = []
    for row in rows.tolist():
        moment = _moment(values[row])
        if moment is None:
            bad.append(f"row {row}: {str(values[row])!r}")
        else:
            times[row] = moment
    if bad:
        shown = "; ".join(bad[:10])
        more = f" and {len(bad) - 10} more" if len(bad) > 10 else ""
        raise DatasetError(f"data set {name!r}, column {column!r}: not a number or an ISO date in {shown}{more}; fix the cells or leave the rows out")
    return times


def _moment(value: object) -> float | None:
    """Days since the year 1, or the number itself."""
    if isinstance(value, (int, float, np.integer, np.floating)):
        return float(value) if np.isfinite(value) else None
    text = str(value).strip()
    if len(text) == 7 and text[4:5] == "-":  # a month: its first day
        text += "-01"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    # not .timestamp(): it would depend on the machine's time zone
    return date(moment.year, moment.month, moment.day).toordinal() + (moment.hour * 60 + moment.minute) / 1440 + moment.second / 86400
