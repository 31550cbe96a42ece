"""An authority of one's own, and certificates that it has signed."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from devstack.processes import HOST


@frozen
class Certificates:
    """Files of PEM: the authority's certificate; a certificate for `HOST` and its key."""

    authority: Path
    certificate: Path
    key: Path

    @property
    def settings(self) -> dict[str, str]:
        """Those of a server that asks clients for a certificate too, as it does by itself."""
        return {
            "tls-ca-cert-file": str(self.authority),
            "tls-cert-file": str(self.certificate),
            "tls-key-file": str(self.key),
            "tls-replication": "yes",
        }

    @property
    def options(self) -> str:
        """What the URL of a client ends with."""
        return (
            f"?ssl_ca_certs={self.authority}&ssl_certfile={self.certificate}&ssl_keyfile={self.key}"
        )


def make_certificates(folder: Path) -> Certificates:
    """They are good for a day."""
    folder.mkdir()
    made = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    now = datetime.now(UTC)
    authority = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an authority")])
    key, root = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    root_builder = x509.CertificateBuilder(
        authority, authority, root.public_key(), x509.random_serial_number()
    )
    root_builder = root_builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))])
    builder = x509.CertificateBuilder(
        authority, x509.Name([]), key.public_key(), x509.random_serial_number()
    ).add_extension(host, critical=True)
    for path, unsigned in ((made.authority, root_builder), (made.certificate, builder)):
        dated = unsigned.not_valid_before(now).not_valid_after(now + timedelta(days=1))
        path.write_bytes(dated.sign(root, SHA256()).public_bytes(Encoding.PEM))
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made
