"""Certificates of an authority of one's own, for a venue on loopback that speaks TLS as the real ones do.

Both keys are made anew for each process. The authority's key signs one certificate and is forgotten: nobody can make
another that its clients would trust.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["LOOPBACK", "Issued", "issue", "server_context"]

#: The names of this machine to itself.
LOOPBACK = ("127.0.0.1", "::1", "localhost")
LIFE = timedelta(days=7)


@frozen(kw_only=True)
class Issued:
    """A server's certificate, its key, and the authority that signed it, all as PEM.

    Attributes:
        authority: What clients must trust.
        certificate: What the server shows.
        key: The server's key.
    """

    authority: bytes
    certificate: bytes
    key: bytes


def issue(now: datetime, *, hosts: Sequence[str] = LOOPBACK, life: timedelta = LIFE) -> Issued:
    """Makes an authority and one certificate of it.

    Args:
        now: The time, with a time zone. Certificates are valid from five minutes before.
        hosts: Names and addresses that the certificate is for.
        life: How long it is valid; nothing or less makes one that has expired.
    """
    begin, end = min(now, now + life) - timedelta(minutes=5), now + life
    authority_key, key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a simulated venue")])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    authority_id = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    authority = (
        _builder(name, name, authority_key, begin, max(end, now + LIFE))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(authority_id, critical=False)
        .sign(authority_key, SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "simulated venue")])
    certificate = (
        _builder(subject, name, key, begin, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority_id), critical=False)
        .sign(authority_key, SHA256())
    )
    return Issued(
        authority=authority.public_bytes(Encoding.PEM),
        certificate=certificate.public_bytes(Encoding.PEM),
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def server_context(issued: Issued, folder: Path) -> tuple[ssl.SSLContext, Path]:
    """TLS settings of a server, and the file with the authority for its clients.

    The key is on the disk only while it is read, in a file that nobody else may read.

    Args:
        issued: The certificate.
        folder: A private folder; it keeps the authority's file.
    """
    authority, pair = folder / "authority.pem", folder / "server.pem"
    authority.write_bytes(issued.authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    pair.touch(mode=0o600)
    try:
        pair.write_bytes(issued.certificate + issued.key)
        context.load_cert_chain(pair)
    finally:
        pair.unlink()
    return context, authority


def _builder(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
