"""From the owner's invitation to the new member, through the API as the tenants' web process."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from tenancy.models import AuditEntry, Invitation, Membership, Role, User
from tenancy.scope import platform_scope
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.factories import make_token, make_user
from tests.kit.roles import PLATFORM, database_role

NEW = {"name": "Ada", "password": "a long enough phrase"}


@pytest.fixture(autouse=True)
def _as_the_web_process(as_app: None) -> None:
    cache.clear()


def invite(cast: Cast, email: str = "ada@example.com", role: str = "engineer") -> str:
    """Invite somebody; return the link's secret."""
    answer = Api(cast.owner).post(f"tenants/{cast.tenant.slug}/invitations", {"email": email, "role": role})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["link"]).split("/invitation#")[1]


def accept(token: str, api: Api | None = None, **body: Any) -> Any:
    """Accept by a link."""
    return (api or Api()).post("invitation/accept", {"token": token, **body})


def test_a_new_person_joins_is_signed_in_and_can_work(cast: Cast) -> None:
    token = invite(cast)
    offer = Api().post("invitation", {"token": token}).json()
    assert (offer["tenant"], offer["email"], offer["role"]) == (cast.tenant.name, "ada@example.com", "engineer")
    assert offer["has_account"] is False
    api = Api()
    me = accept(token, api, **NEW).json()
    assert [(row["tenant"]["slug"], row["role"]) for row in me["memberships"]] == [(cast.tenant.slug, "engineer")]
    assert api.get(f"tenants/{cast.tenant.slug}/models").status_code == 200
    assert Api().post("session", {"email": "ADA@example.com", "password": NEW["password"]}).status_code == 200
    with database_role(PLATFORM), platform_scope("test"):
        rows = AuditEntry.objects.order_by("id").values_list("action", "actor_label", "tenant_id")
        assert list(rows) == [
            ("invitation.create", cast.owner.email, cast.tenant.id),
            ("account.create", "ada@example.com", None),
            ("member.add", "ada@example.com", cast.tenant.id),
        ]


def test_a_link_works_once(cast: Cast) -> None:
    token = invite(cast)
    assert accept(token, **NEW).status_code == 200
    problem(accept(token, **NEW), 404, "link_over")
    problem(Api().post("invitation", {"token": token}), 404, "link_over")


def test_an_existing_person_signs_in_first_and_nobody_else_may_use_the_link(cast: Cast) -> None:
    with database_role(PLATFORM):
        ada = make_user(email="ada@example.com")
    token = invite(cast)
    assert Api().post("invitation", {"token": token}).json()["has_account"] is True
    problem(accept(token, **NEW), 401, "sign_in_first")
    problem(accept(token, Api(cast.stranger)), 409, "invitation_for_another")
    me = accept(token, Api(ada)).json()
    assert [row["tenant"]["slug"] for row in me["memberships"]] == [cast.tenant.slug]


def test_a_revoked_an_expired_and_a_replaced_link_are_over(cast: Cast) -> None:
    path = f"tenants/{cast.tenant.slug}/invitations"
    first, second = invite(cast), invite(cast)
    problem(accept(first, **NEW), 404, "link_over")
    rows = Api(cast.owner).get(path).json()["results"]
    assert [row["state"] for row in rows] == ["open", "revoked"]
    assert Api(cast.owner).delete(f"{path}/{rows[0]['id']}").status_code == 204
    problem(accept(second, **NEW), 404, "link_over")
    third = invite(cast)
    with database_role(PLATFORM), platform_scope("test"):
        Invitation.objects.filter(revoked_at__isnull=True).update(expires_at=timezone.now() - timedelta(hours=1))
    problem(accept(third, **NEW), 404, "link_over")
    problem(accept("x" * 43, **NEW), 404, "link_over")


@pytest.mark.parametrize("change", ["demoted", "removed", "inactive"])
def test_an_offer_dies_with_its_makers_right_to_make_it(cast: Cast, change: str) -> None:
    token = invite(cast)
    with database_role(PLATFORM), platform_scope("test"):
        if change == "demoted":
            Membership.objects.filter(user=cast.owner).update(role=Role.VIEWER)
        elif change == "removed":
            Membership.objects.filter(user=cast.owner).delete()
        else:
            User.objects.filter(id=cast.owner.id).update(is_active=False)
    problem(accept(token, **NEW), 404, "link_over")


def test_nobody_offers_more_than_they_have(cast: Cast) -> None:
    path = f"tenants/{cast.tenant.slug}/invitations"
    problem(Api(cast.engineer).post(path, {"email": "a@example.com", "role": "viewer"}), 403, "role_too_low")
    with database_role(PLATFORM):
        _, text = make_token(cast.owner, cast.tenant, ["members:write", "members:read"])
    problem(Api(token=text).post(path, {"email": "a@example.com", "role": "owner"}), 403, "role_beyond_inviter")
    problem(Api(cast.owner).post(path, {"email": cast.viewer.email, "role": "viewer"}), 409, "member_exists")
    problem(Api(cast.owner).post(path, {"email": "x@service.invalid", "role": "viewer"}), 422, "email_reserved")


def test_a_weak_password_makes_no_account_and_leaves_the_link_open(cast: Cast) -> None:
    token = invite(cast)
    problem(accept(token, name="Ada", password="password"), 422, "password_weak")
    problem(accept(token), 422, "password_missing")
    problem(accept(token, name="Ada‮", password=NEW["password"]), 422, "name_unseen_characters")
    assert accept(token, **NEW).status_code == 200


def test_a_letter_goes_out_where_a_mail_server_is_set(
    cast: Cast, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.EMAIL_HOST, settings.EXFM_WEB_ORIGIN = "mail.example.com", "https://exfm.example.com"
    with django_capture_on_commit_callbacks(execute=True):
        token = invite(cast)
    (letter,) = mail.outbox
    assert letter.to == ["ada@example.com"]
    assert f"https://exfm.example.com/invitation#{token}" in letter.body


def test_only_the_links_digest_is_stored(cast: Cast) -> None:
    token = invite(cast)
    with database_role(PLATFORM), platform_scope("test"):
        row = Invitation._base_manager.values().get(email="ada@example.com")
    assert token not in str(row)
    listed = Api(cast.owner).get(f"tenants/{cast.tenant.slug}/invitations").json()["results"][0]
    assert "link" not in listed
    assert row["digest"] not in str(listed)
