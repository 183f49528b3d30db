"""Single sign-on against a real identity provider in another process: real redirects, real tokens, and lies."""

import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tenancy import oidc
from tenancy.models import AuditEntry, Identity, IdentityProvider, Role, User
from tenancy.scope import platform_scope
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.factories import make_user
from tests.kit.identity_provider import authorize
from tests.kit.roles import PLATFORM, database_role
from tests.platform.tenancy.signing_on import issuer as issuer
from tests.platform.tenancy.signing_on import person, refusal, sign_in
from tests.platform.tenancy.signing_on import trusted as trusted

pytestmark = [pytest.mark.xdist_group("identity_provider"), pytest.mark.usefixtures("trusted")]


def test_the_providers_are_listed_without_secrets(issuer: str) -> None:
    assert Api().get("sso").json() == [{"slug": "corp", "name": "Corp", "start": "/api/v1/sso/corp/start"}]


def test_somebody_new_joins_the_domains_tenant_with_the_least_role(issuer: str, cast: Cast) -> None:
    person(issuer, "ada", "Ada@corp.example")
    api = Api()
    answer = sign_in(api, "ada", "/t/shop/models?q=x")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/t/shop/models?q=x")
    me = api.get("session").json()
    assert me["user"]["email"] == "ada@corp.example"
    assert [(row["tenant"]["slug"], row["role"]) for row in me["memberships"]] == [(cast.tenant.slug, Role.VIEWER)]
    problem(api.post(f"tenants/{cast.tenant.slug}/tokens", {"name": "x", "scopes": []}), 403, "role_too_low")
    assert api.get("account").json()["identities"] == ["Corp"]
    with database_role(PLATFORM), platform_scope("test"):
        rows = AuditEntry.objects.filter(actor_label="ada@corp.example").order_by("id")
        assert list(rows.values_list("action", flat=True)) == ["account.link_identity", "member.add"]
        assert not User.objects.get(email="ada@corp.example").has_usable_password()


def test_the_second_time_it_is_the_same_person_whatever_the_address_says(issuer: str, cast: Cast) -> None:
    person(issuer, "bob", "bob@corp.example")
    first = Api()
    sign_in(first, "bob")
    person(issuer, "bob", cast.owner.email)
    again = Api()
    assert sign_in(again, "bob").headers["Location"] == "/"
    assert again.get("session").json()["user"] == first.get("session").json()["user"]


def test_a_domain_without_a_tenant_brings_nobody_anywhere_before_an_invitation(issuer: str) -> None:
    person(issuer, "guest", "guest@guests.example")
    api = Api()
    sign_in(api, "guest")
    assert api.get("session").json()["memberships"] == []


def test_an_existing_account_of_the_domain_is_linked_and_an_administrators_never(issuer: str, cast: Cast) -> None:
    with database_role(PLATFORM):
        make_user(email="carol@corp.example", name="Carol")
        make_user(email="root@corp.example", is_staff=True)
    person(issuer, "carol", "carol@corp.example")
    api = Api()
    sign_in(api, "carol")
    assert api.get("session").json()["user"]["name"] == "Carol"
    person(issuer, "root", "root@corp.example")
    assert refusal(sign_in(Api(), "root")) == "sso_not_admitted"


@pytest.mark.parametrize(
    "email", ['"x@corp.example@"@evil.example', "x@corp.example@evil.example", "x" * 300 + "@corp.example"]
)
def test_a_domain_is_what_stands_after_the_only_at_sign(issuer: str, email: str) -> None:
    person(issuer, "peggy", email)
    assert refusal(sign_in(Api(), "peggy")) == "sso_not_admitted"
    with database_role(PLATFORM):
        assert not User.objects.filter(email__contains="@corp.example").exists()


@pytest.mark.parametrize("name", ["gro.\u202eevil", "a\x00b", "\u200b", ""])
def test_a_name_that_hides_something_is_left_out(issuer: str, name: str) -> None:
    person(issuer, "trudy", "trudy@corp.example", name=name)
    sign_in(api := Api(), "trudy")
    assert api.get("session").json()["user"]["name"] == ""


def test_an_account_made_for_somebody_elses_address_opens_nothing_once_they_come(issuer: str, cast: Cast) -> None:
    victim = "dave@corp.example"
    body = {"email": victim, "role": "viewer"}
    inviting = Api(cast.stranger).post(f"tenants/{cast.elsewhere.slug}/invitations", body)
    secret = inviting.json()["link"].split("#")[1]
    squatter, chosen = Api(), "chosen by the squatter"
    assert squatter.post("invitation/accept", {"token": secret, "name": "D", "password": chosen}).status_code == 200
    person(issuer, "dave", victim)
    sign_in(Api(), "dave")  # now a member of the cast's tenant
    problem(squatter.get("session"), 401)
    problem(Api().post("session", {"email": victim, "password": chosen}), 401, "credentials_wrong")
    sign_in(api := Api(), "dave")
    assert api.get(f"tenants/{cast.tenant.slug}/overview").status_code == 200


def test_addresses_the_provider_does_not_speak_for_stay_out(issuer: str, cast: Cast) -> None:
    person(issuer, "mallory", cast.owner.email)
    assert refusal(sign_in(Api(), "mallory")) == "sso_not_admitted"
    person(issuer, "eve", "eve@corp.example", email_verified=False)
    assert refusal(sign_in(Api(), "eve")) == "sso_not_admitted"
    person(issuer, "trent", "trent@corp.example.evil.example")
    assert refusal(sign_in(Api(), "trent")) == "sso_not_admitted"
    with database_role(PLATFORM):
        assert Identity.objects.count() == 0


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        ({"iss": "https://elsewhere.example"}, "sso_token_refused"),
        ({"aud": "another-application"}, "sso_token_refused"),
        ({"aud": ["exfm", "another-application"]}, "sso_token_refused"),
        ({"azp": "another-application"}, "sso_token_refused"),
        ({"exp": 1_700_000_000}, "sso_token_refused"),
        ({"nonce": "of another sign-in"}, "sso_token_refused"),
        ({}, ""),
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(issuer: str, lie: dict[str, Any], code: str) -> None:
    person(issuer, "liar", "liar@corp.example", **lie)
    api = Api()
    answer = sign_in(api, "liar")
    if code:
        assert refusal(answer) == code
        problem(api.get("session"), 401)
    else:
        assert api.get("session").status_code == 200


def test_an_answer_counts_once_and_in_the_browser_that_asked(issuer: str) -> None:
    person(issuer, "dan", "dan@corp.example")
    api = Api()
    back = urlsplit(authorize(api.get("sso/corp/start").headers["Location"], "dan"))
    address = f"{back.path}?{back.query}"
    assert refusal(Api().get(address)) == "sso_state_wrong"
    forged = f"{back.path}?{urlencode({'code': parse_qs(back.query)['code'][0], 'state': 'forged'})}"
    other = Api()
    other.get("sso/corp/start")
    assert refusal(other.get(forged)) == "sso_state_wrong"
    assert api.get(address).headers["Location"] == "/"
    assert refusal(api.get(address)) == "sso_state_wrong"


def test_the_provider_checks_our_proof_and_we_its_name(issuer: str) -> None:
    client = oidc.Client(issuer, "exfm", "hush", "http://testserver/api/v1/sso/corp/callback")
    person(issuer, "fay", "fay@corp.example")
    url, began = oidc.start(client)
    assert parse_qs(urlsplit(url).query)["code_challenge_method"] == ["S256"]
    back = parse_qs(urlsplit(authorize(url, "fay")).query)
    stolen = oidc.Started(began.state, began.nonce, "a verifier that somebody else made up for this code")
    with pytest.raises(oidc.Unauthenticated, match="did not accept"):
        oidc.finish(client, stolen, code=back["code"][0], state=began.state)
    impostor = issuer.replace("127.0.0.1", "localhost") + "/"
    with pytest.raises(oidc.Unauthenticated, match="another name"):
        oidc.start(oidc.Client(impostor, "exfm", "", client.redirect_uri))
    with pytest.raises(oidc.Unauthenticated, match="another identity provider"):
        oidc.finish(client, began, code="x", state=began.state, issuer="https://elsewhere.example")


def test_a_token_signed_by_another_key_or_by_none_is_refused(issuer: str) -> None:
    from joserfc import jwt
    from joserfc.jwk import KeySet, OctKey, RSAKey

    client = oidc.Client(issuer, "exfm", "hush", "http://testserver/")
    now = int(time.time())
    claims = {"iss": issuer, "aud": "exfm", "sub": "x", "nonce": "n", "iat": now, "exp": now + 60}
    theirs, ours = RSAKey.generate_key(2048, {"kid": "1"}), RSAKey.generate_key(2048, {"kid": "1"})
    keys = KeySet([ours]).as_dict(private=False)
    good = jwt.encode({"alg": "RS256", "kid": "1"}, claims, ours)
    assert oidc.check_id_token(good, keys, client=client, nonce="n")["sub"] == "x"
    forged = jwt.encode({"alg": "RS256", "kid": "1"}, claims, theirs)
    shared = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("hush" * 10))
    unsigned = f"eyJhbGciOiJub25lIn0.{good.split('.')[1]}."
    for token in (forged, shared, unsigned, "", "x.y.z"):
        with pytest.raises(oidc.Unauthenticated):
            oidc.check_id_token(token, keys, client=client, nonce="n")


def test_pages_of_other_hosts_are_no_place_to_come_back_to(issuer: str) -> None:
    person(issuer, "gil", "gil@corp.example")
    for page in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert sign_in(Api(), "gil", page).headers["Location"] == "/"


def test_a_provider_that_is_turned_off_signs_nobody_in(issuer: str, cast: Cast) -> None:
    person(issuer, "hal", "hal@corp.example")
    sign_in(Api(), "hal")
    with database_role(PLATFORM):
        body = {"is_active": False, "reason": "left"}
        assert Api(cast.admin).patch("admin/identity-providers/corp", body).status_code == 200
    assert refusal(Api().get("sso/corp/start")) == "provider_not_found"
    assert Api().get("sso").json() == []


def test_the_clients_secret_is_unreadable_in_the_table(issuer: str) -> None:
    with database_role(PLATFORM):
        row = IdentityProvider.objects.get()
    assert "hush" not in row.client_secret
    assert len(row.client_secret) > 50


def test_an_insecure_provider_is_refused(cast: Cast) -> None:
    body = {"slug": "x", "name": "X", "issuer": "http://id.example.com", "client_id": "exfm", "reason": "r"}
    with database_role(PLATFORM):
        problem(Api(cast.admin).post("admin/identity-providers", body), 400, "issuer_insecure")
