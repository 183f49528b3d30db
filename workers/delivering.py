"""Delivers webhooks that are due."""

from typing import Final

from django.utils import timezone

from alerts import courier
from workers.database import patiently, platform_work
from workers.hands import Hands

HANDS: Final = 4


def deliver_next() -> bool:
    """Make one delivery that is due, holding no connection while the receiver is asked; False = nothing is due."""
    with platform_work("webhooks"):
        claim = courier.claim_next()
    if claim is None:
        return False
    started = timezone.now()
    answer = courier.send(claim)
    patiently("webhooks", lambda: courier.record(claim=claim, answer=answer, started=started))
    return True


hands = Hands(deliver_next, most=HANDS, name="webhooks")
