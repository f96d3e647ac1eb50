"""Tokens, against the keys that Coinbase's own SDK tests with."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP384R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bloor.errors import ConfigError
from bloor_coinbase.signing import (
    STAND_IN,
    CoinbaseCredentials,
    Tokens,
    load_private_key,
    read_credentials,
    redacted,
    request_uri,
)

# coinbase-advanced-py, tests of its JWT generator: throw-away keys
EC_BODY = (
    "MHcCAQEEIKwf3Uox30cRWzRBOPoPOH5p0Gpb0Dt8zUKXUEM5fMkGoAoGCCqGSM49AwEHoUQDQgAEbAtpLlSZYVOwYICz+uEyxcS29vRIujiE"
    "S/gQ1DC7FV4zK4JuYE9vqDyGZQYjdXHLM7I6f/QnnOITL+dXYWBHRA=="
)
EC_PEM = f"-----BEGIN EC PRIVATE KEY-----\n{EC_BODY}\n-----END EC PRIVATE KEY-----\n"
ED_SEED = "k0BUni0p0vZG1BdpVjS6ogBJ7kxm630AJ2dN+tuputA="
ED_PAIR = "k0BUni0p0vZG1BdpVjS6ogBJ7kxm630AJ2dN+tuputDOKsRAwgyrpEQLeBtS1znTmzPX6Xr2eOWpzx6nW8knkA=="
ED_PEM = (
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJNAVJ4tKdL2RtQXaVY0uqIASe5MZut9ACdnTfrbqbrQ\n"
    "-----END PRIVATE KEY-----\n"
)
NAME = "organizations/o/apiKeys/k"


def parts(token: str) -> tuple[dict, dict, bytes, bytes]:
    """``(header, claims, signed text, signature)`` of a token."""

    def raw(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    header, claims, signature = token.split(".")
    return json.loads(raw(header)), json.loads(raw(claims)), f"{header}.{claims}".encode(), raw(signature)


def test_a_token_of_an_elliptic_curve_key_verifies():
    """ES256 signatures are 64 raw bytes that the public key confirms."""
    credentials = read_credentials({"key_name": NAME, "private_key_pem": EC_PEM})
    uri = request_uri("get", "api.coinbase.com", "/api/v3/brokerage/accounts?limit=5")
    header, claims, signed, signature = parts(credentials.token(1_700_000_000, "ab12", uri))
    assert header == {"alg": "ES256", "typ": "JWT", "kid": NAME, "nonce": "ab12"}
    assert claims == {
        "sub": NAME,
        "iss": "cdp",
        "nbf": 1_700_000_000,
        "exp": 1_700_000_120,
        "uri": "GET api.coinbase.com/api/v3/brokerage/accounts",
    }
    assert len(signature) == 64
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    credentials.private_key.public_key().verify(der, signed, ECDSA(SHA256()))


def test_a_token_of_an_edwards_curve_key_verifies():
    """EdDSA tokens of a WebSocket have no uri."""
    credentials = read_credentials({"key_name": NAME, "private_key_pem": ED_PEM})
    header, claims, signed, signature = parts(credentials.token(5, "ab12"))
    assert header["alg"] == "EdDSA" and "uri" not in claims
    credentials.private_key.public_key().verify(signature, signed)


@pytest.mark.parametrize("text", [ED_SEED, ED_PAIR, ED_PEM, ED_PEM.replace("\n", "\\n")])
def test_every_form_of_one_key_is_the_same_key(text):
    """A seed, a seed with its public key, and PEM with escaped line ends load alike."""
    key = load_private_key(text)
    assert isinstance(key, Ed25519PrivateKey)
    assert base64.b64encode(key.private_bytes_raw()).decode() == ED_SEED


@pytest.mark.parametrize(
    "text",
    [
        *(base64.b64encode(bytes(size)).decode() for size in (31, 33, 65)),
        base64.b64encode(base64.b64decode(ED_SEED) + bytes(32)).decode(),
        "not a key",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    ],
)
def test_what_is_no_key_is_refused_and_not_shown(text):
    """A blob of the wrong size, a pair that does not belong together, plain text and broken PEM are refused."""
    with pytest.raises(ConfigError, match=r"credentials\.coinbase\.private_key_pem") as caught:
        load_private_key(text)
    assert text not in str(caught.value)


def test_a_missing_name_is_named():
    """Credentials are a pair."""
    with pytest.raises(ConfigError, match=r"credentials\.coinbase\.key_name.*nothing"):
        read_credentials({"private_key_pem": EC_PEM})


def test_the_key_is_not_shown():
    """Printing credentials shows nothing of them."""
    credentials = CoinbaseCredentials(key_name=NAME, private_key=load_private_key(ED_SEED))
    assert repr(credentials) == "CoinbaseCredentials()"


EC_PKCS8 = load_private_key(EC_PEM).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("text", [EC_PEM, EC_PKCS8, EC_PEM.replace("\n", "\\n"), EC_PKCS8.replace("\n", "\\n")])
def test_every_form_of_an_elliptic_curve_key_is_the_same_key(text):
    """SEC1 and PKCS#8, with line ends as they are or escaped."""
    key = load_private_key(text)
    assert isinstance(key, EllipticCurvePrivateKey)
    assert key.private_numbers() == load_private_key(EC_PEM).private_numbers()


def test_a_key_on_another_curve_is_refused():
    """ES256 is P-256."""
    pem = generate_private_key(SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(ConfigError, match="another kind"):
        load_private_key(pem)


@pytest.mark.parametrize("secret", [EC_PEM, ED_SEED])
def test_every_token_is_new(secret):
    """Two for the same moment differ in their nonce, of either kind of key; only those of requests have a uri."""
    tokens = Tokens(read_credentials({"key_name": NAME, "private_key_pem": secret}), "api.coinbase.com")
    first, second = (tokens.of_request("POST", "/p?a=1", 5_900_000_000)["Authorization"] for _ in range(2))
    heads = [parts(text.removeprefix("Bearer "))[:2] for text in (first, second)]
    assert heads[0][0]["nonce"] != heads[1][0]["nonce"]
    assert heads[0][1] == heads[1][1]
    assert (heads[0][1]["nbf"], heads[0][1]["uri"]) == (5, "POST api.coinbase.com/p")
    assert "uri" not in parts(tokens.of_subscription(0))[1]


@pytest.mark.parametrize("secret", [EC_PEM, ED_SEED])
def test_a_replay_does_without_the_key(secret):
    """A stand-in of the same kind, and frames without tokens: what is recorded is the same."""
    kind = STAND_IN.kind(read_credentials({"key_name": NAME, "private_key_pem": secret}))
    made = STAND_IN.make(kind)
    assert STAND_IN.kind(made) == kind
    token = made.token(5, "ab12")
    assert redacted(f'{{"jwt":"{token}"}}'.encode()) == b'{"jwt":"***"}'
    with pytest.raises(ConfigError, match="es256"):
        STAND_IN.make("hmac")
