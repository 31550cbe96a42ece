"""A CA of a test's own, and what it has signed, as PEM files."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509 import NameOID


def _make_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@frozen
class Authority:
    """Signs into a folder."""

    folder: Path
    name: str
    _key: ec.EllipticCurvePrivateKey = field(factory=_make_key, init=False)

    @property
    def roots(self) -> Path:
        """Its own certificate."""
        path = self.folder / f"{self.name}.crt"
        if not path.exists():
            self._write(path, self.name, self._key, extensions=[])
        return path

    def sign(
        self, subject: str, hosts: Sequence[str] = (), password: str = ""
    ) -> tuple[Path, Path]:
        """The files of a certificate, good for these hosts, and of its key."""
        key, path = _make_key(), self.folder / f"{subject}.crt"
        extensions = [x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])]
        self._write(path, subject, key, extensions if hosts else [])
        encryption: KeySerializationEncryption = NoEncryption()
        if password:
            encryption = BestAvailableEncryption(password.encode())
        key_path = self.folder / f"{subject}.key"
        key_path.touch()
        key_path.chmod(0o600)
        key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        return path, key_path

    def _write(
        self,
        path: Path,
        subject: str,
        key: ec.EllipticCurvePrivateKey,
        extensions: Sequence[x509.ExtensionType],
    ) -> None:
        now = datetime.now(UTC)
        is_own = key is self._key
        builder = x509.CertificateBuilder(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]),
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]),
            key.public_key(),
            x509.random_serial_number(),
            now - timedelta(hours=1),
            now + timedelta(days=1),
        ).add_extension(x509.BasicConstraints(ca=is_own, path_length=None), critical=True)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(self._key, SHA256())
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
