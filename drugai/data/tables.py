"""A card's files → one table of text columns, with the file and line of every row."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from drugai.data.dataset_card import Card, CardFile
from drugai.data.download import fetch_file
from drugai.errors import DatasetError

_DELIMITERS = {"csv": ",", "tsv": "\t", "smi": ""}


@dataclass
class TextTable:
    """n records as text.

    Attributes:
        columns: Name → n cells, as they stand in the file.
        places: n places, ``file.csv line 17``, for errors.
        reasons: Row → why the record is damaged; rows that are fine are not in it.
    """

    columns: dict[str, list[str]] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.places)

    def target(self, column: str) -> list[str]:
        """The cells of a column, emptied in damaged records: a value may have slipped there from the column beside it."""
        cells = self.columns[column]
        return ["" if row in self.reasons else cell for row, cell in enumerate(cells)] if self.reasons else cells

    def keep(self, rows: list[int]) -> TextTable:
        """The table of some rows, in that order."""
        return TextTable(
            {name: [cells[row] for row in rows] for name, cells in self.columns.items()},
            [self.places[row] for row in rows],
            {new: self.reasons[old] for new, old in enumerate(rows) if old in self.reasons},
        )


def read_card_table(card: Card) -> TextTable:
    """All rows of a data set: files one below the other, joined files looked up, rows outside ``where`` left out.

    Raises:
        DatasetError: a file cannot be had, or a column that the card names is not in it.
    """
    table = _stack(card, [file for file in card.files if not file.join])
    joined = [file for file in card.files if file.join]
    if joined:
        table = _join(card, table, joined)
    if card.where:
        for name in card.where:
            require(table, name, card.name)
        table = table.keep([row for row in range(len(table)) if all(table.columns[name][row] == text for name, text in card.where.items())])
    return table


def require(table: TextTable, column: str, where: str) -> list[str]:
    """The cells of a column; an error names the columns there are and the nearest."""
    from drugai.molecules.columns import find_column

    return table.columns[find_column(column, list(table.columns), where)]


def read_text_file(path: Path, file: CardFile) -> TextTable:
    """One file of a card, with the layout that the card states or the file's own header."""
    from drugai.molecules.delimited import Layout, read_layout, read_rows
    from drugai.molecules.formats import kind_of
    from drugai.molecules.sources import LineSource

    kind = file.format or kind_of(path)
    if kind not in _DELIMITERS:
        return read_any_table(path)
    source = LineSource(path)
    layout = Layout(file.header, _DELIMITERS[kind], 0, True) if file.header else read_layout(source, kind)
    table = TextTable({name: [] for name in layout.names})
    cells = [table.columns[name] for name in layout.names]
    for block in read_rows(source, layout):
        start = len(table.places)
        for column, values in zip(cells, zip(*block.cells, strict=True), strict=True):
            column.extend(values)
        table.places.extend(f"{path.name} line {line}" for line in block.lines)
        table.reasons.update({start + position: why for position, why in block.reasons.items()})
    return table


def read_any_table(path: Path) -> TextTable:
    """A file of any format that :func:`drugai.molecules.reading.read_table` knows."""
    from drugai.molecules.formats import kind_of
    from drugai.molecules.reading import read_table

    read = read_table(path)
    unit = "row" if kind_of(path) == "parquet" else "line"
    places = [f"{path.name} {unit} {line}" for line in read.lines]
    return TextTable(dict(read.columns), places, {row: why for row, why in enumerate(read.reasons) if why})


def _stack(card: Card, files: list[CardFile]) -> TextTable:
    stacked = TextTable()
    for file in files:
        table = read_text_file(fetch_file(file), file)
        table.columns.update({name: [text] * len(table) for name, text in file.set.items()})
        if not stacked.columns:
            stacked = table
            continue
        if set(table.columns) != set(stacked.columns):
            raise DatasetError(f"data set {card.name!r}: {file.path} has the columns {', '.join(table.columns)}, the first file has others")
        start = len(stacked)
        for name, cells in table.columns.items():
            stacked.columns[name].extend(cells)
        stacked.places.extend(table.places)
        stacked.reasons.update({start + row: why for row, why in table.reasons.items()})
    return stacked


def _join(card: Card, table: TextTable, files: list[CardFile]) -> TextTable:
    """Columns of the joined files by key. A row without an answer is left out; of two answers the first counts."""
    answers: dict[str, dict[str, str]] = {}
    for file in files:
        other = read_text_file(fetch_file(file), file)
        keys = require(other, file.join, file.path)
        names = [name for name in other.columns if name not in table.columns]
        for row, key in enumerate(keys):
            answers.setdefault(key, {name: other.columns[name][row] for name in names})
    joined = table.keep([row for row, key in enumerate(require(table, files[0].join, card.name)) if key in answers])
    for name in next(iter(answers.values()), {}):
        joined.columns[name] = [answers[key].get(name, "") for key in joined.columns[files[0].join]]
    return joined
