"""The signature of a version: its manifest, signed with the key of whoever registered it.

Everybody who can write to the registry can write a manifest; only the owner of a key can sign it.
Keys are SSH keys (Ed25519), as `ssh-keygen -t ed25519` makes them.
"""

import base64
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key, load_ssh_public_key

from baton_handoff.core.errors import HandoffError, UsageError

_KEY = "HANDOFF_SIGNING_KEY"


def signing_key() -> Ed25519PrivateKey:
    """Read the private key of the person or pipeline that registers.

    Raises:
        UsageError: HANDOFF_SIGNING_KEY does not name the file of a usable key.
    """
    if not (stated := os.environ.get(_KEY)):
        raise UsageError(
            "`signers` under [registry] in handoff.toml requires that versions are signed: set"
            f" {_KEY} to the file of your private key."
        )
    try:
        key = load_ssh_private_key(Path(stated).expanduser().read_bytes(), password=None)
    except OSError as error:
        raise UsageError(
            f"{stated}, which {_KEY} names, can't be read: {error.strerror}."
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(
            f"{stated}, which {_KEY} names, is not an Ed25519 key without a passphrase: make one"
            " with `ssh-keygen -t ed25519 -N ''`."
        )
    return key


def sign(manifest: bytes, key: Ed25519PrivateKey) -> bytes:
    """Sign a manifest; the content of its file."""
    return base64.b64encode(key.sign(manifest)) + b"\n"


def require_signed(manifest: bytes, signed: bytes | None, signers: Sequence[str]) -> None:
    """Check that one of the trusted keys has signed a manifest.

    Args:
        manifest: The content of the manifest.
        signed: The content of its signature, None without one.
        signers: The public keys, as files `*.pub` contain them.

    Raises:
        HandoffError: None of them has, or one of them is no Ed25519 key.
    """
    if signed is None:
        raise HandoffError(
            "The version is not signed, and `signers` under [registry] in handoff.toml requires"
            " that: register it again."
        )
    for signer in signers:
        try:
            _public_key(signer).verify(base64.b64decode(signed), manifest)
        except (InvalidSignature, ValueError):
            continue
        return
    raise HandoffError(
        "The version is not signed by a key under `signers` of [registry] in handoff.toml: register"
        " it again, and find out who can write to the registry."
    )


def _public_key(signer: str) -> Ed25519PublicKey:
    try:
        key = load_ssh_public_key(signer.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise HandoffError(
            f"`{signer}` under `signers` of [registry] in handoff.toml is not the public part of an"
            " Ed25519 key: copy the line of its file `.pub`."
        )
    return key
