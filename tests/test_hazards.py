"""T14 and T17 of the hazards: archives that are no libraries, and a model folder that names code to run."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from drugai.artifact import read_artifact
from drugai.errors import ArtifactError, DatasetError
from drugai.molecules import read_library, sources
from drugai.screening import screen


def test_t14_zip_and_tar_are_refused_and_nothing_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as archive:
        archive.writestr("../escaped.smi", "CCO ethanol\n")
    with tarfile.open(tmp_path / "l.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo("l.smi")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        up = tarfile.TarInfo("../escaped.smi")
        up.size = 4
        archive.addfile(up, io.BytesIO(b"CCO\n"))
    before = sorted(path for path in tmp_path.parent.rglob("*"))
    for name in ("l.zip", "l.tar.gz"):
        with pytest.raises(DatasetError, match="the format is told by the name"):
            list(read_library(tmp_path / name))
    assert sorted(path for path in tmp_path.parent.rglob("*")) == before


@pytest.mark.parametrize("second", [0, 18, 20, 24])
def test_t14_an_archive_under_the_name_of_a_library_gives_rows_with_reasons_and_no_file(tmp_path: Path, second: int) -> None:
    # the time stands in the header: at 18, 20 and 24 seconds its first byte is a tab, a new line, a comma
    with zipfile.ZipFile(tmp_path / "l.smi", "w") as archive:
        archive.writestr(zipfile.ZipInfo("../escaped.smi", (2026, 11, 28, 0, 1 if second == 24 else 0, second)), "CCO ethanol\n")
    assert {18: b"\t", 20: b"\n", 24: b","}.get(second, b"") in (tmp_path / "l.smi").read_bytes()[10:11]
    reasons = [why for part in read_library(tmp_path / "l.smi") for why in part.batch().reasons]
    assert reasons
    assert all(reasons)
    assert not (tmp_path.parent / "escaped.smi").exists()


def test_t14_a_gzip_bomb_ends_the_reading_with_a_word_and_the_rows_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(sources, "GZIP_RATIO_AFTER", 1 << 20)
    (tmp_path / "l.smi.gz").write_bytes(gzip.compress(b"CCO ethanol\n" + b"C" * (1 << 26) + b"\n"))
    rows = [smi for part in read_library(tmp_path / "l.smi.gz") for smi in part.smiles]
    assert rows[0] == "CCO"
    assert len(rows) <= 2
    assert "bomb" in caplog.text


def test_t14_a_model_whose_manifest_names_a_file_outside_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("../secret", str(tmp_path / "secret")):
        (folder / "manifest.json").write_text(json.dumps({"format": 1, "kind": "predictor/trees", "config": {}, "files": {name: "0" * 64}}))
        with pytest.raises(ArtifactError, match="names a file outside the folder"):
            read_artifact(folder)


EVIL = "from pathlib import Path\nPath({mark!r}).write_text('ran')\nclass Evil: ...\n"


def test_t17_a_model_folder_with_auto_map_runs_nothing_even_if_yes_is_typed(tmp_path: Path) -> None:
    folder, mark = tmp_path / "evil", tmp_path / "mark"
    folder.mkdir()
    (folder / "evil.py").write_text(EVIL.format(mark=str(mark)))
    maps = {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil", "AutoTokenizer": ["evil.Evil", None]}
    (folder / "config.json").write_text(json.dumps({"model_type": "evil", "auto_map": maps, "hidden_size": 8}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"auto_map": maps, "tokenizer_class": "Evil"}))
    script = f"from drugai.models.text import TextEncoder as E\nE({str(folder)!r}).encode(['x'])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "HF_HOME": str(tmp_path / "hf")}
    done = subprocess.run([sys.executable, "-c", script], input="y\ny\n", env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "ImportError" not in done.stderr
    assert not mark.exists()


def test_t17_the_same_folder_is_no_model_to_screen_with(tmp_path: Path) -> None:
    folder, mark = tmp_path / "evil", tmp_path / "mark"
    folder.mkdir()
    (folder / "evil.py").write_text(EVIL.format(mark=str(mark)))
    (folder / "config.json").write_text(json.dumps({"auto_map": {"AutoModel": "evil.Evil"}}))
    (tmp_path / "l.smi").write_text("CCO ethanol\n")
    with pytest.raises(ArtifactError, match=r"no manifest\.json there"):
        screen(tmp_path / "l.smi", folder, out=tmp_path / "run")
    assert not mark.exists()
