"""Which two lineages are compared: control and treatment of a model's newest version."""

import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db import connection

from registry.models import Arm
from tenancy.scope import current_scope


class Comparison(NamedTuple):
    """A model's lineages by arm. Without a treatment (no supervision) there is no lift; without a control neither.

    Ids are text, as a page reads them: most are only compared. `heads` are the newest checkpoints of control and
    treatment, None before the first commit. A commit moves them and adds a partition with its sums in one transaction,
    and neither ever changes, so the heads are the version of every figure computed from them. `version` is the newest
    version that has lineages; None where the model has none.
    """

    model: str
    version: str | None = None
    control_text: str | None = None
    control_head: str | None = None
    treatment_text: str | None = None
    treatment_head: str | None = None

    @property
    def standing(self) -> tuple[str | None, ...]:
        """What figures of the model are computed from, as text: control, its head, treatment, its head."""
        return self[2:]

    @property
    def model_id(self) -> uuid.UUID:
        """The model."""
        return uuid.UUID(self.model)

    @property
    def control(self) -> uuid.UUID | None:
        """The lineage without the foundation model."""
        return _id(self.control_text)

    @property
    def treatment(self) -> uuid.UUID | None:
        """The lineage with it."""
        return _id(self.treatment_text)

    @property
    def heads(self) -> tuple[uuid.UUID | None, uuid.UUID | None]:
        """Where control and treatment stand."""
        return _id(self.control_head), _id(self.treatment_head)

    @property
    def lead(self) -> uuid.UUID | None:
        """The lineage that claims carry: treatment where it exists, else control."""
        return self.treatment or self.control

    @property
    def arms(self) -> dict[str, uuid.UUID]:
        """The lineages that exist by arm."""
        return {arm: held for arm, held in ((Arm.CONTROL, self.control), (Arm.TREATMENT, self.treatment)) if held}

    @property
    def source(self) -> list[uuid.UUID | None]:
        """`standing` as ids."""
        return [_id(text) for text in self.standing]

    def before(self, heads: Mapping[uuid.UUID, uuid.UUID | None]) -> "Comparison":
        """Return the comparison as it was when the lineages in `heads` stood there."""
        then = {str(lineage): str(head) if head else None for lineage, head in heads.items()}
        return self._replace(
            control_head=then.get(self.control_text or "", self.control_head),
            treatment_head=then.get(self.treatment_text or "", self.treatment_head),
        )


def _id(text: str | None) -> uuid.UUID | None:
    return uuid.UUID(text) if text else None


def _newest(column: str, arm: Arm) -> str:
    newest = f"array_agg(l.{column}::text ORDER BY l.created_at DESC, l.id DESC)"
    return f"({newest} FILTER (WHERE l.arm = '{arm}' AND l.state <> 'abandoned'))[1]"


COMPARED = f"""
    v.id::text AS version,
    {_newest("id", Arm.CONTROL)} AS control, {_newest("head_id", Arm.CONTROL)} AS control_head,
    {_newest("id", Arm.TREATMENT)} AS treatment, {_newest("head_id", Arm.TREATMENT)} AS treatment_head
"""
"""Of a version `v` with its lineages `l`, grouped by version: the fields of a `Comparison` after the model.

Abandoned lineages are left out, the newest lineage of an arm counts.
"""

_COMPARISONS = f"""
    SELECT DISTINCT ON (v.model_id) v.model_id::text, {COMPARED}
    FROM registry_modelversion v JOIN registry_lineage l ON l.model_version_id = v.id
    WHERE (%(tenant)s::uuid IS NULL OR (v.tenant_id = %(tenant)s AND l.tenant_id = %(tenant)s)){{}}
    GROUP BY v.id ORDER BY v.model_id, v.number DESC
"""  # noqa: S608
_OF_ALL, _OF_SOME = _COMPARISONS.format(""), _COMPARISONS.format(" AND v.model_id = ANY(%(models)s::uuid[])")


def comparisons(*, model_ids: Sequence[uuid.UUID] | None = None) -> dict[uuid.UUID, Comparison]:
    """Return the comparison of each of these models, or of all in scope that have lineages."""
    asked = {"tenant": current_scope().tenant_id, "models": None if model_ids is None else list(model_ids)}
    with connection.cursor() as cursor:
        cursor.execute(_OF_ALL if model_ids is None else _OF_SOME, asked)
        found = {row[0]: Comparison._make(row) for row in cursor.fetchall()}
    if model_ids is None:
        return {held.model_id: held for held in found.values()}
    texts = {model_id: str(model_id) for model_id in model_ids}
    return {model_id: found.get(text) or Comparison(text) for model_id, text in texts.items()}
