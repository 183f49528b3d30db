"""`kill -9` of the sending process after the receiver has the event and before that is recorded."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from django.utils import timezone

from alerts import courier
from alerts.models import Delivery
from config.embedded.installation import Installation
from tenancy import outbox
from tenancy.scope import platform_scope
from tests.kit.cast import Cast
from tests.kit.patience import PATIENCE
from tests.platform.alerts.conftest import Make
from tests.platform.alerts.receiver import Receiver, status
from workers.delivering import deliver_next

ROOT = Path(__file__).resolve().parents[3]
SENDER = "import django; django.setup(); from workers.delivering import deliver_next; deliver_next()"


@pytest.mark.chaos
@pytest.mark.django_db(transaction=True)
def test_a_sender_that_dies_after_sending_sends_again_under_the_same_id(
    cast: Cast, far: Receiver, make: Make, installation: Installation
) -> None:
    _, secret = make(cast.tenant, far.url())
    with platform_scope("test"):
        outbox.tell("run.failed", tenant_id=cast.tenant.id, data={})
    environment = {
        **os.environ,
        "DATABASE_URL": installation.database_url("worker"),
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "EXFM_PROCESS": "worker",
        "EXFM_WEBHOOK_ALLOW": "127.0.0.0/8",
        "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
    }
    sender = subprocess.Popen([sys.executable, "-W", "ignore", "-c", SENDER], env=environment, cwd=ROOT)

    def kill_then_answer(handler: BaseHTTPRequestHandler) -> None:
        os.kill(sender.pid, signal.SIGKILL)
        sender.wait(PATIENCE)
        status(200)(handler)

    far.answer = kill_then_answer
    assert sender.wait(PATIENCE) == -signal.SIGKILL
    assert len(far.got) == 1
    far.answer = status(200)
    assert not deliver_next(), "the dead process still holds its lease"
    with platform_scope("test"):
        Delivery.objects.update(lease_expires_at=timezone.now() - timedelta(hours=1))
        assert courier.due() == 1
    assert deliver_next()
    assert not deliver_next()
    first, second = far.got
    assert first.headers["exfm-event"] == second.headers["exfm-event"]
    assert first.body == second.body
    assert second.signed_with(secret)
    with platform_scope("test"):
        held = Delivery.objects.get()
        assert (held.state, held.attempts, held.log.get().number) == ("delivered", 2, 2)
