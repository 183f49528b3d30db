"""What the services of alerts refuse."""

from alerts.addresses import Forbidden
from tenancy.errors import Conflict, Invalid, NotFound


def bad_url(refusal: Forbidden) -> Invalid:
    """The address may not be called."""
    return Invalid(refusal.code, str(refusal), "Enter an https:// address that the internet can reach.", field="url")


def too_many(limit: int) -> Conflict:
    """The tenant has as many webhooks as it may."""
    return Conflict("webhooks_limit", f"A tenant has at most {limit} webhooks.", "Remove one that is not needed.")


def disabled() -> Conflict:
    """Nothing is sent to a disabled webhook."""
    return Conflict(
        "webhook_disabled",
        "The webhook is disabled; nothing is sent to it.",
        "Enable it first: PATCH `enabled` true.",
    )


def still_pending() -> Conflict:
    """The delivery will be tried by itself."""
    return Conflict("delivery_pending", "This delivery is still being tried.", "Wait until it has ended.")


def busy(limit: int) -> Conflict:
    """Too much waits for this webhook already."""
    return Conflict(
        "webhook_busy", f"More than {limit} deliveries wait for this webhook.", "Wait until its receiver has caught up."
    )


def webhook_not_found() -> NotFound:
    """No such webhook in the tenant."""
    return NotFound("webhook_not_found", "There is no such webhook.", "List the webhooks to see their ids.")


def delivery_not_found() -> NotFound:
    """No such delivery of the webhook."""
    return NotFound("delivery_not_found", "The webhook has no such delivery.", "List its deliveries for their ids.")
