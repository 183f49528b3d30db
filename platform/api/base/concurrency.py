"""`ETag` and `If-Match`: two people editing the same row do not overwrite each other unseen."""

import hashlib
import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from tenancy.errors import PreconditionFailed

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="ETag of what you read; 412 if it changed since"
)


def etag(data: Any) -> str:
    """Return the strong ETag of a representation."""
    text = json.dumps(data, sort_keys=True, cls=DjangoJSONEncoder, separators=(",", ":"))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def tagged(data: Any, status: int = 200, of: Any = None) -> Response:
    """Return a response with the ETag of what a change may replace: `of`, by default all of `data`."""
    return Response(data, status=status, headers={"ETag": etag(data if of is None else of)})


def refuse_if_changed(request: Request, current: Any) -> None:
    """Raise 412 when the request's `If-Match` does not name the current representation; without the header, accept."""
    wanted = request.headers.get("If-Match")
    if wanted is None or wanted.strip() == "*":
        return
    if etag(current) not in {tag.strip() for tag in wanted.split(",")}:
        raise PreconditionFailed(
            "changed_meanwhile", "This was changed since you read it.", "Read it again, then repeat your change."
        )
