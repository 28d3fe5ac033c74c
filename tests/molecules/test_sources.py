"""Packing, encodings and line ends of text files."""

import gzip

import pytest

from drugai.errors import DatasetError
from drugai.molecules import sources
from drugai.molecules.sources import LineSource


def lines_of(path, data: bytes) -> list[str]:
    path.write_bytes(data)
    return [line for block in LineSource(path) for line in block]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("packed", [False, True])
def test_t18_encodings_and_line_ends_are_detected(tmp_path, encoding, end, packed):
    text = end.join(["smiles,name", "CCO,éthanol", "C,méthane", ""])
    data = text.encode(encoding)
    assert lines_of(tmp_path / "a.csv", gzip.compress(data) if packed else data) == ["smiles,name", "CCO,éthanol", "C,méthane"]


def test_one_latin1_line_among_utf8_lines_is_read_alone(tmp_path):
    data = "C,β-lactam\n".encode() + "CC,café\n".encode("latin-1")
    assert lines_of(tmp_path / "a.csv", data) == ["C,β-lactam", "CC,café"]


def test_nul_and_unicode_separators_stay_in_their_line(tmp_path):
    assert lines_of(tmp_path / "a.csv", "CC\0O,a\nC,b\u2028c\x0cd\n".encode()) == ["CC\0O,a", "C,b\u2028c\x0cd"]


def test_lines_do_not_depend_on_where_blocks_end(tmp_path, monkeypatch):
    data = b"".join(b"%d\n" % k for k in range(1000))
    whole = lines_of(tmp_path / "a.smi", data)
    for size in (1, 7, 64):
        monkeypatch.setattr(sources, "BLOCK", size)
        assert lines_of(tmp_path / "a.smi", data) == whole
        assert lines_of(tmp_path / "b.smi", gzip.compress(data) if size > 4 else data) == whole


def test_t19_a_truncated_gzip_keeps_the_lines_before_the_break(tmp_path):
    import random

    rng = random.Random(0)
    lines = ["C" * rng.randrange(1, 30) + str(k) for k in range(20_000)]
    packed = gzip.compress("\n".join(lines).encode())
    path = tmp_path / "a.smi.gz"
    path.write_bytes(packed[: len(packed) // 2])
    source = LineSource(path)
    got = [line for block in source for line in block]
    assert got == lines[: len(got)]
    assert 5_000 < len(got) < 20_000
    assert source.damage == "the gzip file breaks off"


def test_damaged_gzip_data_are_reported(tmp_path):
    packed = bytearray(gzip.compress(b"".join(b"%d\n" % (k * k) for k in range(50_000))))
    packed[len(packed) // 2] ^= 0xFF
    (tmp_path / "a.smi.gz").write_bytes(bytes(packed))
    source = LineSource(tmp_path / "a.smi.gz")
    assert sum(map(len, source)) < 50_000
    assert "damaged" in source.damage


def test_several_gzip_members_are_one_file(tmp_path):
    data = gzip.compress(b"C\nCC\n") + gzip.compress(b"CCC\n") + b"\0" * 512
    source = LineSource(tmp_path / "a.gz") if (tmp_path / "a.gz").write_bytes(data) else None
    assert source is not None
    assert [line for block in source for line in block] == ["C", "CC", "CCC"]
    assert source.damage == ""


def test_a_decompression_bomb_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "GZIP_RATIO_AFTER", 1 << 20)
    (tmp_path / "a.smi.gz").write_bytes(gzip.compress(b"C\n" * 10_000_000))
    source = LineSource(tmp_path / "a.smi.gz")
    assert sum(map(len, source)) < 5_000_000
    assert "bomb" in source.damage


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(DatasetError, match="does not exist"):
        LineSource(tmp_path / "no.smi")
    with pytest.raises(DatasetError, match="is a folder"):
        LineSource(tmp_path)


def test_a_packed_file_cannot_be_entered_in_the_middle(tmp_path):
    (tmp_path / "a.smi.gz").write_bytes(gzip.compress(b"C\nCC\n"))
    with pytest.raises(DatasetError, match="cannot be entered"):
        LineSource(tmp_path / "a.smi.gz", offset=2)
