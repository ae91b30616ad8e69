"""A version counts as signed only with a key that the project trusts."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from baton_handoff.config.project import Project
from baton_handoff.config.settings import RegistrySettings
from baton_handoff.core.errors import HandoffError, UsageError
from baton_handoff.registry.manifest import (
    MANIFEST_FILE,
    MANIFEST_TAG,
    SIGNATURE_FILE,
    Manifest,
    file_hash,
    registered_manifest,
)
from baton_handoff.registry.signature import require_signed, sign, signing_key

MANIFEST = Manifest({"model/data/model.joblib": "a"}, {"handoff.commit": "c"})
CONTENT = MANIFEST.text().encode()


def public(key: Ed25519PrivateKey) -> str:
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return f"{line.decode()} anna@example.com"


def write(key: Ed25519PrivateKey, file: Path) -> str:
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return str(file)


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ed25519PrivateKey:
    made = Ed25519PrivateKey.generate()
    monkeypatch.setenv("HANDOFF_SIGNING_KEY", write(made, tmp_path / "key"))
    return made


def test_one_of_the_trusted_keys_is_enough(key: Ed25519PrivateKey) -> None:
    signers = [public(Ed25519PrivateKey.generate()), public(key)]
    require_signed(CONTENT, sign(CONTENT, signing_key()), signers)


@pytest.mark.parametrize("signed", ["another key", "another manifest", "no base64", "nothing"])
def test_what_no_trusted_key_has_signed_is_refused(key: Ed25519PrivateKey, signed: str) -> None:
    made = {
        "another key": sign(CONTENT, Ed25519PrivateKey.generate()),
        "another manifest": sign(CONTENT + b" ", key),
        "no base64": b"?",
        "nothing": None,
    }[signed]
    with pytest.raises(HandoffError, match=r"is not signed.*signers"):
        require_signed(CONTENT, made, [public(key)])


def test_a_signer_that_is_no_key_is_named() -> None:
    with pytest.raises(HandoffError, match=r"`anna` under `signers`"):
        require_signed(CONTENT, b"", ["anna"])


@pytest.mark.parametrize("stated", ["", "absent", "locked", "text"])
def test_a_private_key_that_cannot_sign_is_one_sentence(
    key: Ed25519PrivateKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stated: str
) -> None:
    locked = BestAvailableEncryption(b"secret")
    (tmp_path / "locked").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    (tmp_path / "text").write_text("no key")
    monkeypatch.setenv("HANDOFF_SIGNING_KEY", stated and str(tmp_path / stated))
    with pytest.raises(UsageError, match="HANDOFF_SIGNING_KEY"):
        signing_key()


def test_a_rewritten_manifest_is_refused_although_its_tag_was_rewritten_too(
    tmp_path: Path, key: Ed25519PrivateKey
) -> None:
    settings = RegistrySettings(signers=[public(key)])
    project = replace(Project(tmp_path, "trips", "m", "candidate"), registry=settings)
    file = tmp_path / MANIFEST_FILE
    (tmp_path / SIGNATURE_FILE).write_bytes(sign(CONTENT, key))
    for content in (CONTENT, CONTENT.replace(b'"a"', b'"b"')):
        file.write_bytes(content)
        tags = {MANIFEST_TAG: file_hash(file)}
        version: Any = SimpleNamespace(name="m", version="3", tags=tags)
        if content == CONTENT:
            assert registered_manifest(project, version, file) == MANIFEST
            continue
        with pytest.raises(HandoffError, match="not signed by a key"):
            registered_manifest(project, version, file)
