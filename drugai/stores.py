"""Files that are not on this machine: ``s3://``, ``gs://`` and whatever else pyarrow's file systems know, read and written under their URI.

Credentials and endpoints are pyarrow's affair: the usual environment variables and profiles, or options in the URI as in ``s3://bucket/library.smi?region=eu-west-1``.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, BinaryIO

from drugai.errors import ConfigError, DatasetError

_URI = re.compile(r"^[a-z][a-z0-9+.\-]+://")


def is_remote(path: object) -> bool:
    """Whether ``path`` is a URI rather than a path of this machine.

    Example:
        >>> is_remote("s3://bucket/library.smi.gz"), is_remote("library.smi.gz")
        (True, False)
    """
    return isinstance(path, RemoteFile) or (isinstance(path, str) and bool(_URI.match(path)))


def place(path: str | Path | RemoteFile) -> Any:
    """The file under a path or URI: a Path, or what behaves like one where files are read."""
    if isinstance(path, RemoteFile):
        return path
    return RemoteFile(str(path)) if is_remote(path) else Path(path)


def checksum_of(path: str | Path | RemoteFile) -> str:
    """sha256 of a file, in hexadecimal, wherever it lies."""
    digest = hashlib.sha256()
    with place(path).open("rb") as stream:
        while block := stream.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()


class RemoteFile:
    """A file in an object store, with as much of Path's face as readers use.

    Raises:
        ConfigError: The URI's scheme is unknown to pyarrow, or it cannot be read.
    """

    def __init__(self, uri: str) -> None:
        import pyarrow as pa
        from pyarrow import fs

        self.uri = uri
        try:
            self.system, self.key = fs.FileSystem.from_uri(uri)
        except (pa.ArrowInvalid, OSError, ValueError) as error:
            raise ConfigError(f"{uri!r} cannot be opened ({error}); give a path, or a URI that pyarrow knows, such as s3://bucket/key") from None

    def __str__(self) -> str:
        return self.uri

    def __repr__(self) -> str:
        return f"RemoteFile({self.uri!r})"

    @property
    def name(self) -> str:
        """The last part of the key."""
        return PurePosixPath(self.key).name

    def info(self) -> Any:
        """pyarrow's FileInfo."""
        try:
            return self.system.get_file_info(self.key)
        except OSError as error:
            raise DatasetError(f"{self.uri}: the store does not answer ({error}); check its address and your credentials") from None

    def exists(self) -> bool:
        """Whether there is such an object."""
        from pyarrow import fs

        return bool(self.info().type != fs.FileType.NotFound)

    def is_file(self) -> bool:
        """Whether there is such an object and it is no folder."""
        from pyarrow import fs

        return bool(self.info().type == fs.FileType.File)

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        from pyarrow import fs

        return bool(self.info().type == fs.FileType.Directory)

    def stat(self) -> SimpleNamespace:
        """``st_size`` alone."""
        return SimpleNamespace(st_size=int(self.info().size or 0))

    def resolve(self) -> RemoteFile:
        """Itself: a URI has no working folder."""
        return self

    def open(self, mode: str = "rb") -> BinaryIO:
        """A stream that can be sought in; it is read in ranges, not fetched as a whole."""
        if mode != "rb":
            raise ConfigError(f"{self.uri}: opened with {mode!r}; objects are read with 'rb' and written whole with write_bytes")
        stream: BinaryIO = self.system.open_input_file(self.key)
        return stream

    def child(self, name: str) -> RemoteFile:
        """The object ``name`` below this folder."""
        head, question, options = self.uri.partition("?")
        return RemoteFile(f"{head.rstrip('/')}/{name}{question}{options}")

    def read_bytes(self) -> bytes:
        """The whole object."""
        with self.open() as stream:
            return stream.read()

    def write_bytes(self, data: bytes) -> None:
        """Put the whole object. A store shows the old or the new one, never half of it."""
        parent = str(PurePosixPath(self.key).parent)
        if type(self.system).__name__ in ("LocalFileSystem", "_MockFileSystem"):
            self.system.create_dir(parent, recursive=True)
        with self.system.open_output_stream(self.key, compression=None) as stream:
            stream.write(data)

    def names(self) -> list[str]:
        """Keys of the objects below this folder, relative to it, sorted; none if there is no such folder."""
        from pyarrow import fs

        found = self.system.get_file_info(fs.FileSelector(self.key, allow_not_found=True, recursive=True))
        base = self.key.rstrip("/") + "/"
        return sorted(each.path.removeprefix(base) for each in found if each.type == fs.FileType.File)
