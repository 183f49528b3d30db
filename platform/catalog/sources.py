"""Files that partitions may be imported from: only below roots that the operator allows, each with the tenant in it.

`EXFM_IMPORT_ROOTS` lists roots, separated by white space; `{tenant}` stands for the tenant's slug and must occur, so
that no tenant can name another's files: `s3://drop/{tenant}/ file:///srv/drop/{tenant}/`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import fsspec
from django.core.exceptions import ImproperlyConfigured

from catalog import errors
from catalog.storage import Readable
from config import env

SCHEMES = ("file", "s3", "memory")
MOST_CHARACTERS = 1000


def roots(tenant_slug: str) -> list[str]:
    """Return the roots of one tenant, each ending in a slash. ImproperlyConfigured for a root that would be shared."""
    found = []
    for root in env.text("EXFM_IMPORT_ROOTS", "").split():
        scheme, separator, rest = root.partition("://")
        if not separator or scheme not in SCHEMES or "{tenant}" not in rest.split("/"):
            raise ImproperlyConfigured(
                f"EXFM_IMPORT_ROOTS: {root!r} needs a scheme ({', '.join(SCHEMES)}) and the folder {{tenant}}."
            )
        found.append(root.replace("{tenant}", tenant_slug).rstrip("/") + "/")
    return found


def check(uri: str, tenant_slug: str) -> None:
    """Refuse an address that does not lie below one of the tenant's roots, however it is written."""
    allowed = roots(tenant_slug)
    plain = unquote(uri)
    parts = plain.partition("://")[2].split("/")
    odd = len(uri) > MOST_CHARACTERS or plain != uri or "\\" in uri or not uri.isprintable() or {"..", "."} & set(parts)
    if odd or "?" in uri or "#" in uri or not any(uri.startswith(root) and uri != root for root in allowed):
        raise errors.source_not_allowed(allowed)


@contextmanager
def open_source(uri: str, tenant_slug: str) -> Iterator[Readable]:
    """Open the file for the length of the block. DomainError if it is not allowed; OSError if it cannot be read."""
    check(uri, tenant_slug)
    fs, path = fsspec.core.url_to_fs(uri)
    if uri.startswith("file://"):
        _refuse_way_out(path, roots(tenant_slug))
    handle: Any = fs.open(path, "rb")
    with handle:
        yield handle


def _refuse_way_out(path: str, allowed: list[str]) -> None:
    """A symbolic link may lead out of the root."""
    real = os.path.realpath(path)
    homes = [os.path.realpath(root.removeprefix("file://")) for root in allowed if root.startswith("file://")]
    if not any(real.startswith(home + os.sep) for home in homes):
        raise errors.source_not_allowed(allowed)
