import json

import numpy as np
import pytest
import torch

from drugai.artifact import MANIFEST, read_artifact, write_artifact, write_text_atomically
from drugai.errors import ArtifactError


@pytest.fixture
def folder(tmp_path):
    arrays = {"net": {"w": torch.arange(6.0).reshape(2, 3)}, "scale": {"center": np.zeros(3, np.float32)}}
    return write_artifact(tmp_path / "model", "predictor/gnn", config={"depth": 3}, arrays=arrays, texts={"vocab.txt": "C\nN\n"}, record={"seed": 7})


def test_what_is_written_is_read(folder):
    artifact = read_artifact(folder, "predictor")
    assert artifact.kind == "predictor/gnn"
    assert artifact.config == {"depth": 3}
    assert artifact.manifest["seed"] == 7
    assert artifact.tensors("net")["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert artifact.arrays("scale")["center"].shape == (3,)
    assert artifact.text("vocab.txt") == "C\nN\n"


def test_one_changed_byte_is_refused_by_name(folder):
    content = bytearray((folder / "net.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "net.safetensors").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"net\.safetensors.*changed"):
        read_artifact(folder)


def test_a_missing_file_a_later_format_and_another_kind_are_refused(folder):
    with pytest.raises(ArtifactError, match="expected a generator"):
        read_artifact(folder, "generator")
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(ArtifactError, match="format 99 is newer"):
        read_artifact(folder)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    (folder / "vocab.txt").unlink()
    with pytest.raises(ArtifactError, match=r"vocab\.txt: missing"):
        read_artifact(folder)


def test_a_manifest_that_points_outside_is_refused(folder, tmp_path):
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"]["../secret"] = "0"
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match="outside the folder"):
        read_artifact(folder)


def test_t15_a_pickled_model_is_refused_with_a_word_on_how_to_convert(tmp_path):
    torch.save({"w": torch.zeros(2)}, tmp_path / "model.pt")
    with pytest.raises(ArtifactError, match="safetensors"):
        read_artifact(tmp_path / "model.pt")


def test_a_folder_that_is_no_artifact_is_never_overwritten(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ArtifactError, match="no drugai artifact"):
        write_artifact(tmp_path / "mine", "predictor/gnn", config={})
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_failed_write_leaves_the_old_folder_and_nothing_beside(folder):
    with pytest.raises(TypeError):
        write_artifact(folder, "predictor/gnn", config={}, record={"bad": object()})
    assert read_artifact(folder).manifest["seed"] == 7
    assert [entry.name for entry in folder.parent.iterdir()] == ["model"]


def test_writing_again_replaces_the_folder(folder):
    write_artifact(folder, "predictor/gnn", config={"depth": 4})
    assert read_artifact(folder).config == {"depth": 4}
    assert not (folder / "vocab.txt").exists()
    assert [entry.name for entry in folder.parent.iterdir()] == ["model"]


def test_atomic_text(tmp_path):
    write_text_atomically(tmp_path / "a" / "note.txt", "one")
    write_text_atomically(tmp_path / "a" / "note.txt", "two")
    assert (tmp_path / "a" / "note.txt").read_text() == "two"
    assert len(list((tmp_path / "a").iterdir())) == 1
