"""OpenID Connect, the relying party's side: authorisation code with PKCE and nonce, and a checked ID token.

Authlib speaks to the provider, joserfc checks signature and claims. Both are loaded at the first sign-in, not before.
"""

import secrets
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from tenancy.errors import DomainError, Unauthenticated

SCOPE = "openid email profile"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by the provider's key pair alone: never `none`, never one made with a shared secret."""
LEEWAY_SECONDS = 60
TIMEOUT_SECONDS = 5.0
LOCAL = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True)
class Client:
    """This platform, as one provider knows it."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    acr_values: str = ""
    """Contexts to ask for, apart by spaces; which were granted stands in the ID token's `acr`."""


@dataclass(frozen=True)
class Started:
    """What the browser's session keeps while the person is away at the provider."""

    state: str
    nonce: str
    verifier: str

    def to_json(self) -> dict[str, str]:
        """Return it as the session stores it."""
        return asdict(self)


@dataclass(frozen=True)
class Claims:
    """Who the provider says it is."""

    subject: str
    email: str
    email_verified: bool
    name: str
    methods: frozenset[str] = frozenset()
    """`amr` (RFC 8176): how the person proved it, there and then."""
    context: str = ""
    """`acr`."""


def start(client: Client) -> tuple[str, Started]:
    """Return the provider's address to send the browser to, and what to keep."""
    began = Started(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
    with _session(client) as session:
        endpoint = _discover(session, client.issuer)["authorization_endpoint"]
        wanted = {"acr_values": client.acr_values} if client.acr_values else {}
        url, _ = session.create_authorization_url(
            endpoint, state=began.state, nonce=began.nonce, code_verifier=began.verifier, **wanted
        )
    return str(url), began


def finish(client: Client, began: Started, *, code: str, state: str, issuer: str = "") -> Claims:
    """Exchange the code and return the checked claims, or raise `Unauthenticated`.

    `issuer` is the callback's `iss` (RFC 9207), where the provider sends one.
    """
    from authlib.common.errors import AuthlibBaseError
    from requests import RequestException

    if not secrets.compare_digest(state.encode(), began.state.encode()):
        raise refused("sso_state_wrong", "This answer does not belong to a sign-in that began here.")
    if issuer and issuer != client.issuer:
        raise refused("sso_issuer_wrong", "The answer comes from another identity provider.")
    try:
        with _session(client) as session:
            known = _discover(session, client.issuer)
            token = session.fetch_token(
                known["token_endpoint"], code=code, code_verifier=began.verifier, timeout=TIMEOUT_SECONDS
            )
            keys = _json(session, known["jwks_uri"])
            signed = claims = check_id_token(str(token.get("id_token", "")), keys, client=client, nonce=began.nonce)
            if "email" not in claims and "userinfo_endpoint" in known:
                more = _json(session, known["userinfo_endpoint"], withhold_token=False)
                claims = {**more, **claims} if more.get("sub") == claims["sub"] else claims
    except (AuthlibBaseError, RequestException, KeyError, ValueError) as error:
        raise refused("sso_exchange_failed", "The identity provider did not accept the sign-in.") from error
    return Claims(
        subject=str(claims["sub"]),
        email=str(claims.get("email", "")).strip().lower(),
        email_verified=claims.get("email_verified") is True,
        name=str(claims.get("name", ""))[:120],
        methods=_words(signed.get("amr")),
        context=context if isinstance(context := signed.get("acr"), str) else "",
    )


def check_id_token(text: str, keys: dict[str, Any], *, client: Client, nonce: str) -> dict[str, Any]:
    """Return the claims of a token that the issuer signed for us, now, for this very sign-in."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    rules = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": client.issuer},
        aud={"essential": True, "value": client.client_id},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        claims = jwt.decode(text, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims  # type: ignore[arg-type]
        rules.validate(claims)
    except (JoseError, ValueError, TypeError) as error:
        raise refused("sso_token_refused", f"The identity provider's token is not valid here ({error}).") from error
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != client.client_id:
        raise refused("sso_token_refused", "The identity provider's token was made for another application.")
    return dict(claims)


def refused(code: str, message: str) -> Unauthenticated:
    """Return the error of a sign-in that must not happen."""
    return Unauthenticated(code, message, "Try again; if it stays, tell your platform's administrators.")


def check_address(address: str) -> None:
    """Raise `DomainError` unless the address is https, or on this very machine."""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
        raise DomainError(
            "issuer_insecure",
            "An identity provider must be reached by https.",
            "Use its https address.",
            field="issuer",
        )


def _session(client: Client) -> Any:
    from authlib.integrations.requests_client import OAuth2Session

    session = OAuth2Session(
        client_id=client.client_id,
        client_secret=client.client_secret or None,
        token_endpoint_auth_method="client_secret_basic" if client.client_secret else "none",
        scope=SCOPE,
        redirect_uri=client.redirect_uri,
        code_challenge_method="S256",
    )
    session.trust_env = False
    return session


def _discover(session: Any, issuer: str) -> dict[str, Any]:
    known = _json(session, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if known.get("issuer") != issuer:
        raise refused("sso_issuer_wrong", "The identity provider calls itself by another name than the one set here.")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        check_address(str(known.get(name, "")))
    return known


def _words(value: Any) -> frozenset[str]:
    return frozenset(each for each in value if isinstance(each, str)) if isinstance(value, list) else frozenset()


def _json(session: Any, address: str, *, withhold_token: bool = True) -> dict[str, Any]:
    from requests import RequestException

    try:
        answer = session.request(
            "GET", address, withhold_token=withhold_token, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        answer.raise_for_status()
        found = answer.json()
    except (RequestException, ValueError) as error:
        raise refused("sso_unreachable", "The identity provider does not answer as it should.") from error
    if not isinstance(found, dict):
        raise refused("sso_unreachable", "The identity provider does not answer as it should.")
    return found
