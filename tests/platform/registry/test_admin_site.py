"""The operators' site takes a published snapshot back: with a reason, after it has said what changes and for whom."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from registry.models import FoundationModel, Snapshot
from tenancy.models import AuditEntry, User
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return make_user(is_staff=True, is_superuser=True)


@pytest.fixture
def site(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def teacher() -> Iterator[FoundationModel]:
    with platform_scope("test"):
        yield domain.make_foundation_model()


def address(teacher: FoundationModel, page: str = "roll-back") -> str:
    return f"/admin/registry/foundationmodel/{teacher.id}/{page}/"


def published(teacher: FoundationModel) -> object:
    teacher.refresh_from_db()
    return teacher.published_id


def test_the_page_names_the_models_that_are_taught_and_what_labels_afterwards(
    site: Client, teacher: FoundationModel
) -> None:
    stream = domain.make_stream(domain.make_tenant(slug="taught"))
    model = domain.make_model(stream, teacher)
    other = domain.make_model(domain.make_stream(domain.make_tenant(slug="untaught")), name="alone")
    first, second = (domain.publish(teacher, domain.hour(number)) for number in (0, 1))
    domain.make_label_set(domain.make_partition(stream, 2), second)
    assert f"{teacher.id}/roll-back/" in site.get(address(teacher, "change")).content.decode()
    text = site.get(address(teacher)).content.decode()
    cells = re.findall(r"<td>([^<]*)</td>", text.partition('id="taught"')[2])
    assert cells == ["taught", model.name, stream.name]
    assert other.name not in text
    assert str(first.id) in text
    assert "its 1 label set is not unlearned" in text
    assert published(teacher) == second.id


def test_it_is_taken_back_with_a_reason_that_stands_in_the_audit_log(
    site: Client, operator: User, teacher: FoundationModel
) -> None:
    first, second = (domain.publish(teacher, domain.hour(number)) for number in (0, 1))
    answer = site.post(address(teacher), {"reason": "calibration drifted", "published": str(second.id)}, follow=True)
    assert f"Taken back: {first.id}" in answer.content.decode()
    assert published(teacher) == first.id
    second.refresh_from_db()
    assert (second.state, second.withdrawn_at is not None) == (Snapshot.State.RETIRED, True)
    entry = AuditEntry.objects.get(action="foundation_model.roll_back")
    assert (entry.reason, entry.actor_id, entry.tenant_id) == ("calibration drifted", operator.id, None)
    assert (entry.before["published"], entry.after["published"]) == (str(second.id), str(first.id))
    assert "There is nothing to go back to" in site.get(address(teacher)).content.decode()


@pytest.mark.parametrize("reason", ["", "   "])
def test_nothing_changes_without_a_reason(site: Client, teacher: FoundationModel, reason: str) -> None:
    _, second = (domain.publish(teacher, domain.hour(number)) for number in (0, 1))
    answer = site.post(address(teacher), {"reason": reason, "published": str(second.id)})
    assert "This field is required" in answer.content.decode()
    assert published(teacher) == second.id


def test_a_snapshot_published_meanwhile_is_not_taken_back_unseen(site: Client, teacher: FoundationModel) -> None:
    _, seen, third = (domain.publish(teacher, domain.hour(number)) for number in (0, 1, 2))
    answer = site.post(address(teacher), {"reason": "drift", "published": str(seen.id)}, follow=True)
    assert f"{third.id} has been published meanwhile" in answer.content.decode()
    assert published(teacher) == third.id
    assert not AuditEntry.objects.filter(action="foundation_model.roll_back").exists()


def test_staff_who_may_only_look_have_neither_the_button_nor_the_page(teacher: FoundationModel) -> None:
    domain.publish(teacher, domain.hour(0))
    reader, client = make_user(is_staff=True), Client()
    reader.user_permissions.add(Permission.objects.get(codename="view_foundationmodel"))
    client.force_login(reader)
    assert "roll-back" not in client.get(address(teacher, "change")).content.decode()
    assert client.get(address(teacher)).status_code == 403
    assert client.post(address(teacher), {"reason": "x"}).status_code == 403
    stranger = Client()
    stranger.force_login(make_user())
    assert "/admin/login/" in stranger.post(address(teacher), {"reason": "x"}).headers["Location"]
