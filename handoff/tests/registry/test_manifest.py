"""A manifest tells every file and tag of a version that is not the registered one."""

from pathlib import Path

import pytest

from baton_handoff.core.errors import HandoffError
from baton_handoff.registry.loaded import (
    EXAMPLE_FILE,
    FetchedVersion,
    require_registered_files,
)
from baton_handoff.registry.manifest import (
    MANIFEST_FILE,
    MANIFEST_TAG,
    Manifest,
    Mismatch,
    MismatchKind,
    file_hash,
    hashes_of,
)

MODEL = "model/data/model.joblib"
FILES = (
    MODEL,
    "model/code/trips/__init__.py",
    "evaluation/rows.parquet",
    EXAMPLE_FILE,
)
TAGS = {"handoff.commit": "c", "handoff.clean": "true"}


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.fixture
def manifest(stored: Path) -> Manifest:
    return Manifest(hashes_of(stored), TAGS)


def test_what_was_registered_has_no_mismatch(stored: Path, manifest: Manifest) -> None:
    """Later tags and files that nothing believes don't count."""
    (stored / "model/MLmodel").write_text("")
    tags = {**TAGS, MANIFEST_TAG: "h", "handoff.rolled_back": "it underrates snow"}
    file = stored / MANIFEST_FILE
    file.write_text(manifest.text())
    assert Manifest.read(file) == manifest
    assert manifest.mismatches(stored, tags) == ()


@pytest.mark.parametrize("name", FILES)
def test_a_changed_or_missing_file_is_named(stored: Path, manifest: Manifest, name: str) -> None:
    (stored / name).write_text("other")
    assert manifest.mismatches(stored, TAGS) == (Mismatch(MismatchKind.CHANGED, name),)
    (stored / name).unlink()
    assert manifest.mismatches(stored, TAGS) == (Mismatch(MismatchKind.MISSING, name),)


@pytest.mark.parametrize(
    "name", ["model/code/joblib.py", "model/code/trips/__pycache__/a.pyc", "evaluation/learnt"]
)
def test_an_added_file_is_named(stored: Path, manifest: Manifest, name: str) -> None:
    (stored / name).parent.mkdir(parents=True, exist_ok=True)
    (stored / name).write_text("")
    assert manifest.mismatches(stored, TAGS) == (Mismatch(MismatchKind.ADDED, name),)


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"handoff.commit": "c"}, "handoff.clean"),
        ({**TAGS, "handoff.commit": "d"}, "handoff.commit"),
    ],
)
def test_a_changed_tag_is_named(
    stored: Path, manifest: Manifest, tags: dict[str, str], name: str
) -> None:
    assert manifest.mismatches(stored, tags) == (Mismatch(MismatchKind.TAG, name),)


@pytest.mark.parametrize("has_manifest", [True, False])
def test_a_fetched_model_is_loaded_only_unchanged(tmp_path: Path, *, has_manifest: bool) -> None:
    """Versions from before there were manifests have the hash of the model alone."""
    model, example = tmp_path / "model.joblib", tmp_path / EXAMPLE_FILE
    model.write_text("model")
    example.write_text("{}")
    FetchedVersion("trips", 3, "", "c", file_hash(model)).write(tmp_path)
    if has_manifest:
        hashes = {MODEL: file_hash(model), EXAMPLE_FILE: file_hash(example)}
        (tmp_path / MANIFEST_FILE).write_text(Manifest(hashes, {}).text())
        require_registered_files(tmp_path)
        example.write_text("[]")
    else:
        require_registered_files(tmp_path)
        model.unlink()
    with pytest.raises(HandoffError, match="is not the file that was registered as version 3 of"):
        require_registered_files(tmp_path)
