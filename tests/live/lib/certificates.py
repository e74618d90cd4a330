# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The Annex authors
"""Certificates for a test, by openssl(1)."""
import hashlib
import ssl
import subprocess


def _openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


def _key(path):
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)
    path.chmod(0o600)


def authority(dir, name):
    """A CA of its own: its certificate's file, with the key beside it."""
    certificate = dir / f"{name}.pem"
    _key(certificate.with_suffix(".key"))
    _openssl(
        *("req", "-x509", "-new", "-key", certificate.with_suffix(".key"), "-out", certificate),
        *("-days", "2", "-subj", f"/CN=Annex tests {name}"),
    )
    return certificate


def issue(dir, ca, name, host):
    """A certificate for a host, signed by the CA: its file and its key's."""
    certificate, key = dir / f"{name}.pem", dir / f"{name}.key"
    request, extra = dir / f"{name}.csr", dir / f"{name}.ext"
    _key(key)
    _openssl("req", "-new", "-key", key, "-out", request, "-subj", f"/CN={host}")
    extra.write_text(f"subjectAltName=DNS:{host}\n")
    _openssl(
        *("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca.with_suffix(".key")),
        *("-CAcreateserial", "-days", "2", "-extfile", extra, "-out", certificate),
    )
    return certificate, key


def pin(certificate):
    """What annex.yaml calls tls-pin."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()
