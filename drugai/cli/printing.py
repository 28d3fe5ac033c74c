"""Text for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drugai.errors import ConfigError


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Columns padded to their widest cell; the columns named in ``right`` are aligned at the right."""
    cells = [list(header), *[list(row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = []
    for row in cells:
        padded = [text.rjust(width) if column in right else text.ljust(width) for column, (text, width) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join(padded).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def tries_table(auto: Mapping[str, Any]) -> str:
    """What an automatic run tried: seconds, score on what its folds (or, of an earlier version, the validation part) held out, weight, and why it was kept or not."""
    rows = [[one["name"], f"{one['seconds']:.0f}", f"{one['score']:.4f}", f"{one['weight']:.2f}", one["why"]] for one in auto["tries"]]
    scales = auto.get("scales", ())  # a model of an earlier version does not say
    words = "\nvalues spread over decades: learnt, scored and mixed as log10; predictions are in their unit" if "log10" in scales else ""
    words += "\nshares in percent: learnt, scored and mixed as logits; predictions are in percent" if "percent" in scales else ""
    return table(["tried", "seconds", f"{'held-out' if 'folds' in auto else 'valid'} {auto['metric']}", "weight", "why"], rows, right=(1, 2, 3)) + words


def parse_fractions(text: str) -> tuple[float, float, float]:
    """``"0.8,0.1,0.1"`` → three numbers."""
    try:
        train, valid, test = (float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--fractions {text!r}: expected three numbers, for example 0.8,0.1,0.1") from None
    return train, valid, test


def epoch_progress(epochs: int) -> tuple[Callable[[int, Mapping[str, float]], None] | None, Callable[[], None]]:
    """A progress bar over epochs on a terminal, None off it (the log then has a JSON line an epoch); and the function that closes it."""
    import sys

    if not sys.stderr.isatty():
        return None, lambda: None
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    bar = Progress(TextColumn("training"), BarColumn(), TextColumn("{task.completed}/{task.total} epochs  {task.fields[scores]}"), TimeElapsedColumn(), TimeRemainingColumn(), console=console)
    bar.start()
    task = bar.add_task("epochs", total=epochs, scores="")

    def report(epoch: int, scores: Mapping[str, float]) -> None:
        bar.update(task, completed=epoch + 1, scores=" ".join(f"{key} {value:.3f}" for key, value in scores.items()))

    return report, bar.stop


def parse_weights(text: str | None) -> list[float]:
    """``"0.8,0.2"`` → numbers."""
    try:
        return [float(part) for part in (text or "").split(",")]
    except ValueError:
        raise ConfigError(f"--weights {text!r}: expected numbers by commas, for example 0.8,0.2") from None


def study_progress(trials: int) -> tuple[Callable[[Any], None], Callable[[], None]]:
    """A progress bar over trials on a terminal, a line of the log off it; and the function that closes it. Both say the best so far and the time left."""
    import logging
    import sys

    logger = logging.getLogger("drugai.cli.tuning")
    logger.setLevel(logging.INFO)  # whatever the level of the rest: this is what the user asked to see
    if not sys.stderr.isatty():
        return lambda standing: logger.info("%s", standing, extra={"fields": {**standing.__dict__}}), lambda: None
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(TextColumn("tuning"), BarColumn(), TextColumn("{task.fields[words]}"), TimeElapsedColumn(), console=Console(stderr=True))
    bar.start()
    task = bar.add_task("trials", total=trials, words=f"0/{trials} trials")

    def report(standing: Any) -> None:
        bar.update(task, completed=standing.finished, words=str(standing))

    return report, bar.stop
