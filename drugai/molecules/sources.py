"""Text files as blocks of lines, whatever their packing, encoding and line ends.

A library arrives gzipped or not, in UTF-8, UTF-16 or latin-1, with line ends of three kinds, sometimes cut off in the middle of a download. Nothing of this
is for the formats to know: they get lists of clean lines and, at the end, a word on what was damaged.
"""

from __future__ import annotations

import codecs
import logging
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from drugai.errors import DatasetError
from drugai.stores import place

log = logging.getLogger(__name__)

BLOCK = 1 << 20
RECORD_CAP = 10_000_000
"""Characters of one line or record; longer ones are cut here and refused."""
GZIP_RATIO_CAP = 200
"""Expansion beyond which a gzip file is a bomb; SMILES files reach 3 to 15."""
GZIP_RATIO_AFTER = 256 << 20
"""Bytes of output before the ratio is looked at: a small library of one repeated molecule is no bomb."""

_GZIP_MAGIC = b"\x1f\x8b"


class LineSource:
    """Iterates over blocks of lines (``list[str]``, without line ends).

    Args:
        path: The file.
        offset: Byte at which to start, a line start; only for plain files that are not UTF-16.

    Attributes:
        damage: After the iteration: why the file ended early (``""`` if it did not). The cut-off last line is not given out.
    """

    def __init__(self, path: str | Path, offset: int = 0) -> None:
        self.path = place(path)
        self.offset = offset
        self.damage = ""
        if not self.path.is_file():
            what = "is a folder" if self.path.is_dir() else "does not exist"
            raise DatasetError(f"{self.path} {what}; give the path of a file")
        with self.path.open("rb") as stream:
            self.gzipped = stream.read(2) == _GZIP_MAGIC
        # The first MB, not the first block: gzip blocks vary in size
        head = next(iter(self._bytes()), b"")
        self.encoding, self._bom = _detect(head)
        width = 2 if self.encoding.startswith("utf-16") else 1
        ends = head[: 1 << 20].replace(b"\0", b"") if width == 2 else head
        self.carriage_return = b"\r" in ends and b"\n" not in ends
        if offset and not self.seekable:
            raise DatasetError(f"{self.path} is gzipped or UTF-16 and cannot be entered at byte {offset}; read it from the start")

    @property
    def seekable(self) -> bool:
        """True where a line can be reached by its byte offset."""
        return not self.gzipped and not self.encoding.startswith("utf-16")

    def __iter__(self) -> Iterator[list[str]]:
        self.damage = ""
        pieces = self._decoded() if self.encoding.startswith("utf-16") else self._decoded_by_line()
        for text in pieces:
            yield _split(text, self.carriage_return)

    def _bytes(self) -> Iterator[bytes]:
        with self.path.open("rb") as stream:
            if self.gzipped:
                yield from self._gunzipped(stream)
                return
            stream.seek(self.offset)
            while block := stream.read(BLOCK):
                yield block

    def _gunzipped(self, stream: BinaryIO) -> Iterator[bytes]:
        member, taken, given = zlib.decompressobj(31), 0, 0
        fed = False
        while block := stream.read(BLOCK // 4):
            taken += len(block)
            if not fed:
                block = block.lstrip(b"\0")
            while block:
                try:
                    piece = member.decompress(block, BLOCK)
                except zlib.error as error:
                    self.damage = f"the gzip data are damaged ({error})"
                    return
                fed = True
                given += len(piece)
                if given > GZIP_RATIO_AFTER and given > GZIP_RATIO_CAP * taken:
                    self.damage = f"the gzip file expands more than {GZIP_RATIO_CAP}-fold (a decompression bomb?)"
                    return
                if piece:
                    yield piece
                block = member.unconsumed_tail
                if member.eof:
                    # a further member (bgzip, concatenated files) or zero padding follows
                    block = member.unused_data.lstrip(b"\0")
                    member, fed = zlib.decompressobj(31), False
        while fed and (piece := member.decompress(member.unconsumed_tail, BLOCK)):
            yield piece
        if fed and not member.eof:
            self.damage = "the gzip file breaks off"

    def _decoded(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder(self.encoding)(errors="replace")
        rest = ""
        first = True
        for block in self._bytes():
            text = rest + decoder.decode(block)
            if first:
                text, first = text.removeprefix("\ufeff"), False
            end = "\r" if self.carriage_return else "\n"
            whole, found, rest = text.rpartition(end)
            if found:
                yield whole + found
            rest = rest[: RECORD_CAP + 1]
        if rest and not self.damage:
            yield rest

    def _decoded_by_line(self) -> Iterator[str]:
        end = b"\r" if self.carriage_return else b"\n"
        rest: list[bytes] = []
        held = 0
        skip = 0 if self.offset else len(self._bom)
        for block in self._bytes():
            if skip:
                block, skip = block[skip:], 0
            cut = block.rfind(end) + 1
            if not cut:
                # one line longer than a block: keep what may still be a record, drop the rest
                if held <= RECORD_CAP:
                    rest.append(block)
                    held += len(block)
                continue
            yield _decode(b"".join([*rest, block[:cut]]))
            rest, held = [block[cut:]], len(block) - cut
        last = b"".join(rest)
        if last and not self.damage:
            yield _decode(last)


def _detect(head: bytes) -> tuple[str, bytes]:
    """Encoding and byte order mark, from the first bytes of a file."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8", codecs.BOM_UTF8
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", b""
    sample = head[:4096]
    # SMILES are ASCII: in UTF-16 without a mark every second byte is zero; a stray NUL here and there is a damaged row, not an encoding
    if len(sample) >= 4 and sample[1::2].count(0) > 0.9 * len(sample[1::2]) and sample[0::2].count(0) == 0:
        return "utf-16-le", b""
    if len(sample) >= 4 and sample[0::2].count(0) > 0.9 * len(sample[0::2]) and sample[1::2].count(0) == 0:
        return "utf-16-be", b""
    return "utf-8", b""


def _decode(data: bytes) -> str:
    """UTF-8, and latin-1 for just the lines that are not UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return "\n".join(_decode_line(line) for line in data.split(b"\n"))


def _decode_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _split(text: str, carriage_return: bool) -> list[str]:
    """Lines of a text; str.splitlines would also cut at form feeds and Unicode separators inside a cell."""
    if carriage_return:
        text = text.replace("\r", "\n")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    if "\r" in text:
        lines = [line.rstrip("\r") for line in lines]
    return lines
