"""kill -9 of PostgreSQL and of the broker in mid-partition: supervisors wait, nothing is lost, nothing done twice."""

import os
import signal
from collections import Counter

import pytest
from django.db import OperationalError, connection

from budgets.models import UsageRecord
from config.celery import app
from config.embedded.postgres import Postgres
from runs.models import Attempt, Consumption, Run
from tenancy.scope import platform_scope
from tests.chaos.processes import alive, celery
from tests.kit import servers
from tests.kit.patience import PATIENCE
from tests.workers.waiting import wait_for
from tests.workers.world import long_recipe, make_world

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]

PERIODS = 3


def kill_and_start(postgres: Postgres) -> None:
    """kill -9 the postmaster; its backends go with it; start it again on the same files."""
    pid = postgres.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    if postgres.process is not None:
        postgres.process.wait(PATIENCE)
    wait_for("the postmaster is gone", lambda: not alive(pid))
    connection.close()
    postgres.start()


def answers() -> bool:
    """Whether this process has a connection again."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except OperationalError:
        connection.close()
        return False
    return True


def test_database_and_broker_may_die(postgres, installation, storage, tmp_path):
    with servers.temporary_installation() as place, servers.valkey_server(place) as broker:
        app.conf.broker_url = place.broker_url()
        with platform_scope("test"):
            world = make_world(storage, recipe=long_recipe(periods=PERIODS), tenants=1)
        with celery(installation, place.broker_url(), storage, tmp_path / "logs"), platform_scope("test"):
            world.seal(range(PERIODS))
            app.send_task("runs.plan", queue="control")
            wait_for("a child works", lambda: Run.objects.filter(state="running", progress__rows__gt=0).exists())
            assert broker.process is not None
            broker.process.kill()
            broker.process.wait(PATIENCE)
            kill_and_start(postgres)
            broker.start()
            wait_for("the database answers", answers)
            done = {"fm": PERIODS, "control": PERIODS - 1, "treatment": PERIODS - 1}
            wait_for(
                "everything is consumed",
                lambda: Counter(Consumption.objects.values_list("lineage__arm", flat=True)) == done,
                2 * PATIENCE,
            )
            charged = UsageRecord.objects.filter(claim__isnull=False).values_list("claim_id", "line")
            assert len(charged) == len(set(charged)) == PERIODS + 3 * (PERIODS - 1)
            assert not Attempt.objects.filter(state="failed").exists()
