"""The second look at a published snapshot (METHOD §4): on the period that it labelled, once the truth is in.

At publication it was judged on the period before. A regression against the snapshot before it, on the held-back users
of the period that followed, takes it back.
"""

from exfm_core.das.scorer import predict
from exfm_core.das.snapshots import Snapshot
from exfm_core.spec import FoundationModel
from exfm_core.train.foundation_rows import Stream, known_tenants, merge, with_tenant
from exfm_core.train.gate import Judgement, Limits, judge
from exfm_core.train.rows import Rows


def second_look(newest: Snapshot, before: Snapshot, streams: list[Stream], limits: Limits) -> Judgement:
    """Judges `newest` against `before` on the held-back rows of `streams`, which neither has seen. A decision of
    `reject` or `corrupt` asks for a rollback. Snapshots of different models are not compared: `publish`."""
    if newest.spec.model != before.spec.model:
        return Judgement("publish", "The snapshots are of different models: not compared.")
    rows = held_back(streams, newest.spec.model)
    if rows is None:
        return Judgement("publish", "No user of this period is held back: nothing to judge on.")
    seen, kinds = with_tenant(rows), newest.spec.model.task_kinds
    new, old = predict(newest.net, seen), predict(before.net, seen)
    return judge(kinds, new, old, seen.labels, seen.slots, seen.buckets, limits)


def held_back(streams: list[Stream], model: FoundationModel) -> Rows | None:
    """The rows of all streams whose user is held back; None where there are none."""
    parts = [known_tenants(rows.take(rows.held_back), model.tenant_slots) for rows in merge(streams, model)]
    found = [part for part in parts if len(part)]
    return Rows.concatenate(found) if found else None
