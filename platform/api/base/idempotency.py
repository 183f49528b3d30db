"""`Idempotency-Key`: a create that is sent twice happens once, and both callers get the same answer.

JSON actions use the decorator. Detached actions (streamed bodies) call `replay` in their first scope and `remember` in
the transaction that stores the result, with a fingerprint that does not need the body:

    print_ = fingerprint(self, parts=[sha256_header])
    with self.scope():
        if (answer := replay(self, print_)) is not None:
            return answer  # no header: after the body has been read, which must be the answer's (else `reused`)
    …stream the body…
    with self.scope():
        …insert…
        remember(self, print_, response)
"""

import functools
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeVar

import orjson
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework.response import Response

from api.base.rendering import JSONRenderer
from api.base.viewsets import ScopedViewSet
from api.models import IdempotencyRecord
from tenancy.errors import Conflict, DomainError
from tenancy.scope import current_scope

V = TypeVar("V", bound=ScopedViewSet)

_KEY = re.compile(r"^[\x21-\x7e]{1,200}$")


def idempotency_key(view: ScopedViewSet) -> str | None:
    """Return the request's key, None without one; refuse keys that cannot be stored."""
    key = view.request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.match(key):
        raise DomainError(
            "idempotency_key_invalid",
            "The Idempotency-Key is not usable.",
            "Use 1–200 printable ASCII characters without spaces.",
        )
    return key


def fingerprint(view: ScopedViewSet, parts: Iterable[str | bytes]) -> str:
    """Return the SHA-256 of method, address with query, and the given parts of the request."""
    request = view.request._request
    digest = hashlib.sha256()
    for part in (request.method or "", request.get_full_path(), *parts):
        digest.update(part if isinstance(part, bytes) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def replay(view: ScopedViewSet, print_: str) -> Response | None:
    """Return the stored answer to the request's key, None if this is the first time; 409 if the request differs.

    A twin that is being worked on in a JSON action is waited for, and its answer returned.
    """
    key = idempotency_key(view)
    if key is None:
        return None
    _wait_for_twin(view, key)
    record = _records(view).filter(key=key).first()
    if record is None:
        return None
    if record.fingerprint != print_:
        raise reused()
    return Response(record.response, status=record.status, headers={"Idempotency-Replayed": "true"})


def reused() -> Conflict:
    """Return the error for a key that another request has."""
    return Conflict(
        "idempotency_key_reused",
        "This Idempotency-Key belongs to another request.",
        "Use a new key for a new request; repeat a request unchanged.",
    )


def remember(view: ScopedViewSet, print_: str, response: Response, secret_fields: Iterable[str] = ()) -> None:
    """Store the answer in the current transaction. A concurrent twin that came first makes this one fail with 409."""
    key = idempotency_key(view)
    if key is None or response.status_code >= 400:
        return
    hidden, told = set(secret_fields), response.data
    if isinstance(told, orjson.Fragment):  # JSON already, as details are written
        told = orjson.loads(JSONRenderer().render(told))
    data = {name: None if name in hidden else value for name, value in told.items()}
    record = IdempotencyRecord(
        tenant_id=current_scope().tenant_id,
        user_id=view.user.pk,
        key=key,
        fingerprint=print_,
        status=response.status_code,
        response=data,
    )
    try:
        with transaction.atomic():
            record.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(
            "idempotency_key_in_use",
            "A request with this Idempotency-Key is being worked on.",
            "Repeat it in a moment.",
        ) from error


def idempotent(
    action: Callable[..., Response] | None = None, *, secret_fields: Iterable[str] = ()
) -> Callable[..., Any]:
    """Decorate a JSON action. `secret_fields` of the answer are not stored: a repetition gets null for them."""
    if action is None:
        return functools.partial(idempotent, secret_fields=tuple(secret_fields))
    wrapped = action

    @functools.wraps(wrapped)
    def once(self: ScopedViewSet, *args: Any, **kwargs: Any) -> Response:
        if idempotency_key(self) is None:
            return wrapped(self, *args, **kwargs)
        # The decoded body: with a session the check against forgery has read the raw one already.
        print_ = fingerprint(self, [json.dumps(self.request.data, sort_keys=True)])
        if (answer := replay(self, print_)) is not None:
            return answer
        response = wrapped(self, *args, **kwargs)
        remember(self, print_, response, secret_fields)
        return response

    return once


def forget_old(*, older_than: timedelta = timedelta(days=7)) -> int:
    """Remove answers nobody will ask for again; return how many. Call it under `platform_scope`."""
    return IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - older_than).delete()[0]


def forget_about(row_id: uuid.UUID) -> int:
    """Remove the scope's answers that tell of a row which is deleted; return how many.

    Who repeats such a request creates the row anew, instead of being told of one that is gone. Call it in the
    transaction of the deletion.
    """
    told = Q(response__id=str(row_id)) | Q(response__results__contains=[{"id": str(row_id)}])
    return IdempotencyRecord.objects.filter(told, tenant=current_scope().tenant_id).delete()[0]


def _wait_for_twin(view: ScopedViewSet, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"idempotency:{current_scope().tenant_id}:{view.user.pk}:{key}"],
        )


def _records(view: ScopedViewSet) -> Any:
    tenant_id = current_scope().tenant_id
    mine = IdempotencyRecord.objects.filter(user_id=view.user.pk)
    return mine.filter(tenant__isnull=True) if tenant_id is None else mine.filter(tenant_id=tenant_id)
