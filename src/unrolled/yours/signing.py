"""Signing a page by Ed25519, and telling whether a signed one still is what was signed.

The page's head names the signature, the key by its fingerprint, and the version of the course. Signed is the whole text, with the
signature's own place empty and line ends as on Unix.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..language import gettext

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PRIVATE, PUBLIC = "signing-key.pem", "signing-key.pub.pem"
MAX_FILE = 64 * 2**20  # bytes
SIGNATURE = re.compile(r'<meta name="unrolled-signature" content="([A-Za-z0-9+/=]*)">')
KEY = re.compile(r'<meta name="unrolled-key" content="([0-9a-f]*)">')
VERSION = re.compile(r'<meta name="unrolled-course" content="([^"]*)">')


class SigningError(ValueError):
    """A key or a file that can't be used; the message is one sentence that says why and what to do."""


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a signed page. valid: it is exactly what the holder of the key has signed."""

    valid: bool
    sentence: str


# --- Keys --------------------------------------------------------------------------------------


def private_key(folder: Path) -> tuple[Ed25519PrivateKey, bool]:
    """The private key in a folder, and whether it was made just now, with its public one beside it. Raises SigningError, OSError."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    file = folder / PRIVATE
    if file.exists():
        key = _loaded(serialization.load_pem_private_key, file, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise SigningError(gettext("{file} holds no Ed25519 key: move it away, and a new pair is made.").format(file=file))
        return key, False
    key = Ed25519PrivateKey.generate()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # nobody else may read it
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(pem)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / PUBLIC).write_bytes(public)
    return key, True


def public_key(file: Path) -> Ed25519PublicKey:
    """The public key in a file. Raises SigningError, OSError."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = _loaded(serialization.load_pem_public_key, file)
    if not isinstance(key, Ed25519PublicKey):
        raise SigningError(gettext("{file} holds a public key of another kind than Ed25519: ask the course for the right one.").format(file=file))
    return key


def _loaded(load, file: Path, **options):
    from cryptography.exceptions import UnsupportedAlgorithm

    data = file.read_bytes()
    if load.__name__ == "load_pem_public_key" and b"PRIVATE KEY" in data:
        raise SigningError(gettext(
            "{file} is a private key, which only the course may have; to verify takes the public one, {PUBLIC}."
        ).format(file=file, PUBLIC=PUBLIC))
    try:
        return load(data, **options)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SigningError(gettext("{file} is no key in PEM form that can be read: ask the course for its file {PUBLIC}.").format(file=file, PUBLIC=PUBLIC)) from None


def fingerprint(key: Ed25519PublicKey) -> str:
    """A short name of a public key, to compare by eye: 32 hexadecimal digits."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:32]


# --- Signing and verifying -----------------------------------------------------------------------


def head(key: Ed25519PublicKey) -> str:
    """What goes into the head of a page that will be signed."""
    return (
        '<meta name="unrolled-signature" content="">\n'
        f'<meta name="unrolled-key" content="{fingerprint(key)}">\n'
        f'<meta name="unrolled-course" content="{html.escape(__version__, quote=True)}">\n'
    )


def signed(page: str, key: Ed25519PrivateKey) -> str:
    """The page with its signature. It has the `head` of this key."""
    signature = base64.b64encode(key.sign(_to_sign(page))).decode("ascii")
    return SIGNATURE.sub(f'<meta name="unrolled-signature" content="{signature}">', page, count=1)


def _to_sign(page: str) -> bytes:
    return SIGNATURE.sub('<meta name="unrolled-signature" content="">', page.replace("\r\n", "\n"), count=1).encode("utf-8", "surrogatepass")


def verify(file: Path, key: Ed25519PublicKey) -> Verdict:
    """Whether a file is what the holder of the key has signed; if not, why not. Raises SigningError for no page at all, OSError."""
    from cryptography.exceptions import InvalidSignature

    if file.stat().st_size > MAX_FILE:
        raise SigningError(gettext("{file} has more than {most:.0f} MB: is it the right file?").format(file=file, most=MAX_FILE / 1e6))
    try:
        page = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise SigningError(gettext("{file} is no page that `unrolled sign` wrote: it is not in UTF-8.").format(file=file)) from None
    signature, name, version = (pattern.search(page) for pattern in (SIGNATURE, KEY, VERSION))
    if not (signature and name and version):
        return Verdict(False, gettext("{file} carries no signature: whatever it says is self-attested.").format(file=file.name))
    if name[1] != fingerprint(key):
        text = gettext("{file} was signed with another key, {other}; yours is {key}: ask the course which is its own.")
        return Verdict(False, text.format(file=file.name, other=name[1], key=fingerprint(key)))
    try:
        key.verify(base64.b64decode(signature[1], validate=True), _to_sign(page))
    except (InvalidSignature, binascii.Error):
        return Verdict(False, gettext("{file} is not what was signed: its text or its signature was changed afterwards.").format(file=file.name))
    course = html.unescape(version[1])
    if course != __version__:
        text = gettext("{file} is what was signed, by version {version} of the course; this is version {own}, whose tasks may differ.")
        return Verdict(True, text.format(file=file.name, version=course, own=__version__))
    text = gettext("{file} is what was signed, with the key {key}, by this version of the course, {version}.")
    return Verdict(True, text.format(file=file.name, key=name[1], version=course))
