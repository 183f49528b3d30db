"""Fixtures of the whole suite: real servers, the migrated database, and the database role a test runs under."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import hypothesis
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from pytest_django.plugin import DjangoDbBlocker

from config.embedded.installation import Installation
from config.embedded.postgres import Postgres
from tests.kit import servers
from tests.kit.parallel import pytest_collection_modifyitems as pytest_collection_modifyitems
from tests.kit.parallel import pytest_runtest_setup as pytest_runtest_setup
from tests.kit.parallel import pytest_xdist_auto_num_workers as pytest_xdist_auto_num_workers
from tests.kit.parallel import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler
from tests.kit.platform import filled_platform as filled_platform
from tests.kit.roles import APP, OWNER, PLATFORM, database_role, set_role

# The same examples in every run, and no time limit per example: the machine may be shared.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True)
hypothesis.settings.load_profile("suite")


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """The folder of the suite's servers."""
    with servers.temporary_installation() as place:
        yield place


@pytest.fixture(scope="session")
def postgres(installation: Installation) -> Iterator[Postgres]:
    """The suite's PostgreSQL with the three roles; the database is empty until `django_db_setup`."""
    with servers.postgres_server(installation) as server:
        yield server


@pytest.fixture(scope="session")
def broker_url(installation: Installation) -> Iterator[str]:
    """Address of the suite's Valkey. Without this fixture Celery's broker is `memory://`, which swallows nudges."""
    with servers.valkey_server(installation):
        yield installation.broker_url()


@pytest.fixture(scope="session")
def django_db_setup(postgres: Postgres, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Migrate as `exfm_owner`; afterwards tests run as `exfm_platform` unless they ask for another role."""
    connection.settings_dict.update(servers.superuser_settings(postgres))
    with django_db_blocker.unblock():
        set_role(OWNER)
        call_command("migrate", interactive=False, verbosity=0)
        set_role(PLATFORM)
        connection.close()
        yield
        connection.close()


@pytest.fixture(scope="session", autouse=True)
def _flush_as_superuser() -> Iterator[None]:
    """Transactional tests end with TRUNCATE, which no role of ours may do, nor the triggers of append-only
    tables allow."""
    plain = DatabaseOperations.execute_sql_flush

    def flush(self: Any, sql_list: Iterable[str]) -> None:
        with database_role(None):
            plain(
                self, ["SET session_replication_role = replica;", *sql_list, "SET session_replication_role = origin;"]
            )

    DatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign]
    yield
    DatabaseOperations.execute_sql_flush = plain  # type: ignore[method-assign]


@pytest.fixture
def as_app(db: None) -> Iterator[None]:
    """Run the test as the tenants' web process does: `exfm_app`, row-level security forced. Rows need
    `tenant_scope(…)`.

    Rows of the cast are easier made before: `with as_role(PLATFORM): …`.
    """
    with database_role(APP):
        yield


@pytest.fixture
def as_platform(db: None) -> Iterator[None]:
    """Run the test as admin, worker and beat do: `exfm_platform`, all rows by policy (the default of tests
    with a database)."""
    with database_role(PLATFORM):
        yield


@pytest.fixture
def as_role(db: None) -> Callable[[str | None], AbstractContextManager[None]]:
    """Return `database_role`, to change the role inside a test: `with as_role(APP): …`."""
    return database_role


@pytest.fixture
def storage(settings: Any, tmp_path: Any) -> str:
    """A fresh storage root: STORAGE_URL points at a temporary folder during the test."""
    settings.STORAGE_URL = f"file://{tmp_path / 'storage'}"
    return str(settings.STORAGE_URL)
