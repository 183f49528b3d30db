"""Reading bodies: JSON alone, of a bounded size."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from api.base import strict_json
from tenancy.errors import TooLarge


class StrictJSONParser(BaseParser):
    """UTF-8 JSON as `strict_json.read` takes it; the parts of the media type say nothing."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the decoded body."""
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise TooLarge("body_too_large", "The body is too large.", f"Send at most {limit} bytes of JSON.")
        try:
            return strict_json.read(body)
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from error
