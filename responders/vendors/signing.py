"""RS256 for Okta's private-key JWT: `cryptography` where the interpreter has it, else the pure-Python `rsa`."""

from __future__ import annotations

import base64
import json
from typing import Any, Mapping

from responders.errors import BadSettings


def rs256(key_pem: str, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """A signed JWT (RFC 7515 compact form). Raises BadSettings for a key that can't be read."""
    signed = f"{_part({**header, 'alg': 'RS256'})}.{_part(claims)}"
    return f"{signed}.{_encode(_sign(key_pem, signed.encode()))}"


def _part(value: Mapping[str, Any]) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _sign(key_pem: str, message: bytes) -> bytes:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
    except ImportError:
        return _sign_pure(key_pem, message)
    try:
        key = serialization.load_pem_private_key(key_pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it is encrypted
        raise _bad_key() from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _bad_key()
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def _sign_pure(key_pem: str, message: bytes) -> bytes:
    import rsa
    from pyasn1.error import PyAsn1Error

    try:
        signature: bytes = rsa.sign(message, _load_pure(key_pem), "SHA-256")
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, PyAsn1Error):
        raise _bad_key() from None
    return signature


def _load_pure(key_pem: str) -> Any:
    """The key from PKCS#1, or from PKCS#8, whose last field holds the PKCS#1 form (RFC 5208)."""
    import rsa

    if "BEGIN RSA PRIVATE KEY" in key_pem:
        return rsa.PrivateKey.load_pkcs1(key_pem.encode())
    from pyasn1.codec.der import decoder

    text = "".join(line for line in key_pem.splitlines() if line and not line.startswith("-----"))
    outer, _ = decoder.decode(base64.b64decode(text))
    return rsa.PrivateKey.load_pkcs1(bytes(outer[2]), format="DER")


def _bad_key() -> BadSettings:
    return BadSettings("the private key is no unencrypted RSA key in PEM", place="private_key", remedy="give PKCS#1 or 8")
