"""Proposes a schema for a sample of rows in a process of its own, so that a hostile file can hurt nothing else."""

import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import structlog

from catalog import errors
from catalog.storage import PIECE, Readable
from config.body_limit import SAMPLE_BYTES
from config.children import clean_environment

log = structlog.get_logger("exfm.catalog")

LIMIT_SECONDS: Final = 30
LIMIT_MEMORY_BYTES: Final = 3 << 30
"""Address space, of which libraries alone map about one GiB."""
MOST_ANSWER_BYTES: Final = 8 << 20
AT_ONCE: Final = 2
"""Samples read at one time by this process, one of each tenant: web requests must not take the machine."""
PROPOSED, WITHOUT_SCHEMA, UNREADABLE = 0, 1, 2
NAME: Final = "sample"
"""What messages call the file."""

_turns: set[uuid.UUID] = set()
_turns_lock = threading.Lock()


def propose(*, tenant_id: uuid.UUID, body: Readable) -> dict[str, Any]:
    """Return the JSON of an `exfm_core.data.infer.Proposal` for a Parquet, CSV or JSON lines file of at most 16 MiB.

    No transaction: it may take seconds. DomainError: empty, too large, unreadable (with the column or row where the
    reader tells), too expensive to read, or too many at this moment.
    """
    with tempfile.TemporaryDirectory(prefix="exfm-infer-") as folder:
        file = Path(folder) / NAME
        _receive(body, file)
        with _turn(tenant_id):  # from here: who sends slowly holds no turn
            status, output, said = _run(file)
    if status == UNREADABLE:
        raise errors.sample_unreadable(said)
    if status not in (PROPOSED, WITHOUT_SCHEMA) or len(output) > MOST_ANSWER_BYTES:
        log.warning("schema inference", status=status, stderr=said[-2000:])
        raise errors.sample_given_up("reading it took more memory than a sample may")
    try:
        found: dict[str, Any] = json.loads(output)
    except ValueError as error:
        # A traceback ends with the status of a file without a schema.
        log.warning("schema inference", status=status, stderr=said[-2000:])
        raise errors.sample_given_up("its reader failed") from error
    return found


@contextmanager
def _turn(tenant_id: uuid.UUID) -> Iterator[None]:
    with _turns_lock:
        if tenant_id in _turns or len(_turns) >= AT_ONCE:
            raise errors.samples_busy()
        _turns.add(tenant_id)
    try:
        yield
    finally:
        with _turns_lock:
            _turns.discard(tenant_id)


def _receive(body: Readable, file: Path) -> None:
    size = 0
    with file.open("wb") as handle:
        while piece := body.read(PIECE):
            size += len(piece)
            if size > SAMPLE_BYTES:
                raise errors.sample_too_large(SAMPLE_BYTES)
            handle.write(piece)
    if not size:
        raise errors.empty_body()


def _run(file: Path) -> tuple[int, bytes, str]:
    """Return exit status, output and what it said on standard error."""
    command = [sys.executable, "-m", "exfm_core", "infer", NAME]
    child = subprocess.Popen(
        command,
        env=clean_environment(1),
        cwd=file.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    )
    with child:
        # Set from here: it starts before it is bounded, yet takes longer to load its libraries than this takes.
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(child.pid, resource.RLIMIT_AS, (LIMIT_MEMORY_BYTES, LIMIT_MEMORY_BYTES))
        try:
            output, said = child.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            raise errors.sample_given_up(f"reading it took more than {LIMIT_SECONDS} s") from None
    return child.returncode, output, said.decode(errors="replace").removeprefix("infer: ").strip()
