"""The suite's own footing: three roles, none above row-level security, and a connection that really changes
its role."""

import pytest
from django.db import ProgrammingError, connection, transaction

from tests.kit.roles import APP, OWNER, PLATFORM


def current_user() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
def test_tests_run_as_the_platform_role_by_default():
    assert current_user() == PLATFORM


def test_as_app_lowers_the_connection(as_app):
    assert current_user() == APP


def test_a_role_ends_with_its_block(as_role):
    with as_role(APP):
        assert current_user() == APP
    assert current_user() == PLATFORM


@pytest.mark.django_db
def test_no_role_is_above_row_level_security():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname FROM pg_roles"
            " WHERE rolname LIKE 'exfm%%' AND NOT (rolsuper OR rolbypassrls OR rolcreaterole)"
        )
        assert {row[0] for row in cursor.fetchall()} == {OWNER, APP, PLATFORM}


def test_the_web_process_cannot_make_tables(as_app):
    with (
        pytest.raises(ProgrammingError, match="permission denied for schema public"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE TABLE intruder (id int)")


@pytest.mark.django_db(transaction=True)
def test_transactional_tests_keep_the_role():
    assert current_user() == PLATFORM
    connection.close()
    assert current_user() == PLATFORM
