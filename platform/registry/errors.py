"""What can be wrong with a model, a binding or a snapshot, each with the step that mends it."""

import uuid
from collections.abc import Mapping

from exfm_core.cost.device import Estimate
from exfm_core.errors import ExfmError
from exfm_core.figures import share
from tenancy.errors import Conflict, DomainError, NotFound


def impossible_spec(error: ExfmError, field: str = "spec") -> DomainError:
    """The core refuses the spec; its own sentence says why."""
    return DomainError(error.code, error.message, error.mend, field=field)


def name_taken(kind: str, name: str) -> DomainError:
    """A model of that name exists."""
    return Conflict(
        "model_name_taken",
        f"A {kind} named {name!r} exists already.",
        "Choose another name, or use that one.",
        field="name",
    )


def model_quota(used: int, limit: int) -> DomainError:
    """The tenant has as many models as it may."""
    return DomainError(
        "model_quota",
        f"{used} of {limit} models are registered.",
        "Ask an administrator for a larger quota of models.",
        status=403,
    )


def serving_budget(what: str, asked: int, limit: int) -> DomainError:
    """The model would cost more to serve than the tenant's serving budget allows."""
    return DomainError(
        "serving_budget",
        f"The model needs {asked:,} {what} to serve; the serving budget is {limit:,}.",
        "Use fewer features, smaller tables, a smaller embedding_dim or a narrower mlp.",
        status=403,
        field="spec",
    )


def serving_latency(flavor: str, p99: Estimate, limit: int, shares: Mapping[str, float]) -> DomainError:
    """Serving one row is estimated to take longer than the tenant's serving budget allows. `shares`: largest first."""
    most = [f"{name} {share(part, 0)}" for name, part in list(shares.items())[:2]]
    return DomainError(
        "serving_budget",
        f"The p99 of serving one row on {flavor} is estimated at {p99.value:,.1f} µs (within a factor of "
        f"{p99.error:.2f}: {p99.low:,.1f} to {p99.high:,.1f} µs); the serving budget is {limit:,} µs.",
        f"Most of it: {', '.join(most)}. {LATENCY_MENDS[next(iter(shares))]}",
        status=403,
        field="spec",
    )


LATENCY_MENDS = {
    "the call": "That is what any model takes there: ask an administrator for a larger limit or another device.",
    "operators": "Use fewer layers, experts or tasks, or no attention.",
    "matrix products": "Use a narrower or shorter mlp, fewer experts, or fewer cross_layers.",
    "embedding rows": "Use fewer features, a smaller max_length of sequences, or a smaller embedding_dim.",
    "element-wise work": "Use fewer features or a smaller embedding_dim.",
    "pairwise dots": "Use fewer features, or the backbone dcnv2.",
}
"""What to change in a spec, by the part of `exfm_core.cost.device.SERVING_PARTS` that takes longest."""


def batch_too_large(asked: int, limit: int) -> DomainError:
    """One training step of the model would not fit beside those of others."""
    return DomainError(
        "batch_too_large",
        f"One batch of the model needs about {asked:,} bytes to train; the most is {limit:,}.",
        "Lower optimizer.batch_size, or use fewer features, a smaller embedding_dim or a narrower mlp.",
        field="spec",
    )


def model_not_found() -> DomainError:
    """No such vertical model in scope."""
    return NotFound("model_not_found", "There is no such model.", "List the models to see their ids.")


def foundation_model_not_found() -> DomainError:
    """No such foundation model, or it is retired."""
    return NotFound(
        "foundation_model_not_found", "There is no such foundation model.", "Ask an administrator which ones there are."
    )


def foundation_model_full(slots: int) -> DomainError:
    """All bias rows of the foundation model are taken."""
    return Conflict(
        "foundation_model_full",
        f"The foundation model's {slots - 1} tenant slots are all taken.",
        "Ask an administrator to register a foundation model with more tenant_slots.",
    )


def no_head(kind: str, known: list[str]) -> DomainError:
    """The foundation model cannot teach the model's task."""
    return DomainError(
        "no_head",
        f"The foundation model has no head for tasks of kind {kind!r}.",
        f"Its task kinds: {', '.join(known)}. Choose such a task, or register the model without a foundation model.",
        field="foundation_model",
    )


def bad_gate(message: str) -> DomainError:
    """The limits of the publication gate make no sense."""
    return DomainError(
        "bad_gate", message, 'Send for example {"tolerance": 0.02, "calibration": [0.8, 1.25]}.', field="gate"
    )


def stale_snapshot(state: str) -> DomainError:
    """The snapshot is no candidate any more."""
    return Conflict("snapshot_not_candidate", f"The snapshot is {state}, not a candidate.", "Nothing needs to be done.")


def older_than_published() -> DomainError:
    """A candidate that knows less than what is published."""
    return Conflict(
        "snapshot_older", "A snapshot with a newer watermark is published already.", "Publish newer candidates only."
    )


def nothing_to_roll_back() -> DomainError:
    """No snapshot published before the current one is left."""
    return Conflict(
        "nothing_to_roll_back",
        "No snapshot was published before this one.",
        "Deactivate the foundation model if it must not teach at all.",
    )


def published_meanwhile(snapshot_id: uuid.UUID) -> DomainError:
    """Another snapshot is published than the one that was looked at."""
    return Conflict(
        "published_meanwhile",
        f"The snapshot {snapshot_id} has been published meanwhile.",
        "Look at what would change now, and decide again.",
    )


def checkpoint_not_found() -> DomainError:
    """No such checkpoint of this model."""
    return NotFound(
        "checkpoint_not_found", "The model has no such checkpoint.", "GET …/models/{id}/checkpoints lists them."
    )


def alias_unset(alias: str) -> DomainError:
    """The alias points nowhere, or pointed nowhere before."""
    return Conflict(
        "alias_unset", f"The alias {alias!r} has nothing to go back to.", "PUT the alias onto a checkpoint first."
    )


def still_training() -> DomainError:
    """A course of training may change only while nothing trains the model."""
    return Conflict(
        "model_in_training",
        "The model is active or a run of it is open.",
        "POST …/pause, wait until its run has ended, then repeat.",
    )


def same_spec(number: int) -> DomainError:
    """The new version would be the one that is there."""
    return Conflict(
        "version_unchanged", f"Version {number} has this very spec.", "Change the spec, or use restart.", field="spec"
    )


def not_bound() -> DomainError:
    """No foundation model teaches the model."""
    return Conflict("not_bound", "No foundation model teaches this model.", "Nothing needs to be done.")


def other_version(number: int) -> DomainError:
    """A checkpoint holds weights of one spec; the model's spec is another one now."""
    return Conflict(
        "checkpoint_of_other_version",
        f"The checkpoint belongs to an earlier version; the model is at version {number}.",
        "Add a version with the earlier spec, or name a checkpoint of the newest version.",
        field="checkpoint",
    )


def no_profile(flavor: str) -> DomainError:
    """The flavor has not been measured."""
    return NotFound(
        "device_profile_not_found",
        f"No device profile of the flavor {flavor!r} is registered.",
        "Run `python -m exfm_core calibrate` on such a machine and PUT what it writes.",
    )


def unusable_profile(reason: str) -> DomainError:
    """No estimate can come of the profile."""
    return DomainError(
        "unusable_profile",
        f"The device profile cannot be used: {reason}.",
        "Send what `python -m exfm_core calibrate` writes, as it is.",
        field="profile",
    )
