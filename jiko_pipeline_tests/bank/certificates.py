"""A certificate authority of a test: it signs what the test wants, for an hour of fame on loopback.

Belongs here: keys and certificates in files. Does not belong here: servers and assertions.
"""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jiko_pipeline.bank import transport

_AUTHORITY = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "the authority of a test")])


class Authority:
    """An authority; its files are in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = Ed25519PrivateKey.generate()
        built = _builder(_AUTHORITY, self._key, datetime.now(UTC) + timedelta(days=2))
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file = directory / "authority.pem"
        self.file.write_bytes(built.issuer_name(_AUTHORITY).sign(self._key, None).public_bytes(Encoding.PEM))

    def certificate(self, name: str, *, until: datetime | None = None, self_signed: bool = False) -> Path:
        """A file with a key and its certificate for `name`, valid from two days ago."""
        key = Ed25519PrivateKey.generate()
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        built = _builder(subject, key, until or datetime.now(UTC) + timedelta(days=1))
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        if self_signed:
            signed = built.issuer_name(subject).sign(key, None)
        else:
            signed = built.issuer_name(_AUTHORITY).sign(self._key, None)
        file = self._directory / "server.pem"
        written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(written + signed.public_bytes(Encoding.PEM))
        return file

    def trusted_in_place_of_all_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Clients that are made from here on trust this authority, as they trust those of the machine otherwise."""
        context = ssl.create_default_context(cafile=self.file)
        monkeypatch.setattr(transport, "_trust", lambda: context)


def _builder(subject: x509.Name, key: Ed25519PrivateKey, until: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=2))
        .not_valid_after(until)
    )
