"""A real OpenID Connect provider in a process of its own, for the tests of single sign-on.

`python -m tests.kit.identity_provider` serves `oidc-provider-mock` (Flask and Authlib) and adds what that leaves out:
PKCE is demanded and checked. `set_claims` puts any claim into a subject's ID token, also one that is a lie (`iss`,
`aud`, `exp`, `nonce`), signed with the provider's real key.
"""

import base64
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.kit.patience import PATIENCE


@contextmanager
def identity_provider() -> Iterator[str]:
    """Run the provider; yields its issuer."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.kit.identity_provider"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(PATIENCE)


def application() -> Any:
    """Return the provider."""
    import flask
    from oidc_provider_mock import _app as provider

    app = provider.app(require_nonce=True)
    app.debug = False
    challenges: dict[str, str] = {}

    @app.before_request
    def check_proof() -> Any:
        asked, path = flask.request, flask.request.path
        if path.endswith("/authorize"):
            if asked.args.get("code_challenge_method") != "S256" or not asked.args.get("code_challenge"):
                return flask.jsonify(error="invalid_request", error_description="PKCE is required"), 400
        elif path.endswith("/token"):
            digest = hashlib.sha256(asked.form.get("code_verifier", "").encode()).digest()
            proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if challenges.pop(asked.form.get("code", ""), None) != proof:
                return flask.jsonify(error="invalid_grant", error_description="the verifier is wrong"), 400
        return None

    @app.after_request
    def remember_challenge(answer: Any) -> Any:
        codes = parse_qs(urlsplit(answer.headers.get("Location", "")).query).get("code", [])
        if flask.request.path.endswith("/authorize") and codes:
            challenges[codes[0]] = flask.request.args["code_challenge"]
        return answer

    return app


def authorize(address: str, subject: str) -> str:
    """Sign in at the provider as `subject`, like the person's browser does; returns the address it sends back to."""
    import httpx

    with httpx.Client(trust_env=False, follow_redirects=False) as browser:
        page = browser.get(address)
        assert page.status_code == 200, page.text[:300]
        answer = browser.post(address, data={"sub": subject})
        assert answer.status_code in {302, 303}, answer.text[:300]
        return answer.headers["Location"]


def set_claims(issuer: str, subject: str, **claims: Any) -> None:
    """Tell the provider who `subject` is."""
    import httpx

    with httpx.Client(trust_env=False) as client:
        client.put(f"{issuer}/users/{subject}", json=claims).raise_for_status()


def main() -> None:
    """Serve on a free port and print the issuer."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, application(), threaded=True)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
