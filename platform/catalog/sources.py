"""Files that partitions may be imported from: only below roots that the operator allows, each with the tenant in it.

`EXFM_IMPORT_ROOTS` lists roots, separated by white space; `{tenant}` stands for the tenant's slug and must occur, so
that no tenant can name another's files: `s3://drop/{tenant}/ file:///srv/drop/{tenant}/`.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ELOOP, ENOTDIR, ENXIO
from pathlib import Path
from typing import BinaryIO
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
    if uri.startswith("file://"):
        with _open_below(uri.removeprefix("file://"), roots(tenant_slug)) as handle:
            yield handle
        return
    fs, path = fsspec.core.url_to_fs(uri)
    with fs.open(path, "rb") as handle:
        yield handle


def _open_below(path: str, allowed: list[str]) -> BinaryIO:
    """Open an ordinary file below a root, whatever happens to the folders meanwhile.

    A link may lead elsewhere within the root. Where it leads is asked once; from the root on, every part of that way is
    opened from the one before and must be no link any more, so that exchanging one in between gains nothing. A pipe
    would let the reader wait for ever.
    """
    real = os.path.realpath(path)
    homes = [os.path.realpath(root.removeprefix("file://")) for root in allowed if root.startswith("file://")]
    home = next((home for home in homes if real.startswith(home + os.sep)), None)
    if home is None:
        raise errors.source_not_allowed(allowed)
    *folders, name = Path(real).relative_to(home).parts
    try:
        here = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        for folder in folders:
            here = _step(here, folder, os.O_DIRECTORY)
        found = _step(here, name, os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (ELOOP, ENOTDIR):
            raise errors.source_not_allowed(allowed) from error
        if error.errno == ENXIO:
            raise errors.source_unreadable("it is no ordinary file") from error
        raise
    mode = os.fstat(found).st_mode
    if not stat.S_ISREG(mode):
        os.close(found)
        raise errors.source_unreadable("it is a folder" if stat.S_ISDIR(mode) else "it is no ordinary file")
    return os.fdopen(found, "rb")


def _step(folder: int, name: str, flags: int) -> int:
    """Open what lies in an open folder under a name, unless it is a link; the folder is closed."""
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | flags, dir_fd=folder)
    finally:
        os.close(folder)
