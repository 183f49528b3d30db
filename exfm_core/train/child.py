"""The child process of an attempt: takes work line by line, trains or scores, reports, waits for the commit.

Torch-free until `start` has been read; the job decides what is imported.
"""

import errno
import os
import sys
import traceback
from typing import Protocol

from exfm_core.cost import memory
from exfm_core.errors import CapacityError, CheckpointError, DataError, ExfmError, SpecError
from exfm_core.events import Ack, Done, Error, Finish, ProtocolError, Ready, Start, Stopped, Work
from exfm_core.events.messages import Fault
from exfm_core.spec import FoundationSpec, StreamSchema, VerticalSpec
from exfm_core.train.channel import EXIT_NO_SUPERVISOR, Channel, StopRequested
from exfm_core.train.storage import Storage

EXIT_DONE, EXIT_FAILED = 0, 1


class Job(Protocol):
    """One kind of work. `run` may raise StopRequested between two batches; its state is then discarded."""

    def run(self, work: Work) -> Done:
        """Does one piece of work and writes its files."""
        ...


def main(parent: int) -> int:
    """Runs the child. Returns its exit status: 0 stopped as asked, 1 failed (the last event says why), 3 orphaned."""
    channel = Channel()
    try:
        return _converse(channel, parent)
    except StopRequested as stop:
        return _leave(channel, stop.reason)
    # The boundary of the process: the supervisor gets a sentence, the log the trace.
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        try:
            channel.send(describe(error))
        except StopRequested:
            return EXIT_NO_SUPERVISOR
        return EXIT_FAILED


def _converse(channel: Channel, parent: int) -> int:
    start = channel.receive()
    if isinstance(start, Finish):
        return _leave(channel, "finish")
    if not isinstance(start, Start):
        raise ProtocolError("protocol.order", "The first command must be `start`.", "Send `start` first.")
    with Storage(start.storage) as storage:
        job, ready = _open(start, storage, channel)
        print(f"ready: {start.job}, run {start.run}, attempt {start.attempt}, parent {parent}", file=sys.stderr)
        channel.send(ready)
        return _work(channel, job)


def _work(channel: Channel, job: Job) -> int:
    """Alternates work and acknowledgement: never more than one piece is ahead of its commit."""
    waiting: list[Work] = []
    unacked: int | None = None
    finishing = False
    last = None
    while True:
        if unacked is None and waiting:
            work = waiting.pop(0)
            channel.send(job.run(work))
            unacked = work.seq
            continue
        if unacked is None and finishing:
            return _leave(channel, "finish")
        command = channel.receive()
        if isinstance(command, Ack):
            if command.seq != unacked:
                raise ProtocolError("protocol.ack", f"Acknowledged {command.seq}, but {unacked} is open.", _REPORT)
            unacked = None
        elif isinstance(command, Finish):
            finishing = True
        elif isinstance(command, Start):
            raise ProtocolError("protocol.order", "A second `start` came.", _REPORT)
        else:
            if finishing or (last is not None and command.seq <= last):
                raise ProtocolError(
                    "protocol.order", f"Work {command.seq} came after {last} or after the end.", _REPORT
                )
            last = command.seq
            waiting.append(command)


def _leave(channel: Channel, reason: str) -> int:
    try:
        channel.send(Stopped(reason))
    except StopRequested:
        return EXIT_NO_SUPERVISOR
    return EXIT_DONE


def _open(start: Start, storage: Storage, channel: Channel) -> tuple[Job, Ready]:
    _read_specs(start)
    # Imported here: torch and TorchRec take seconds, and a bad `start` should not.
    from exfm_core.train import jobs, runtime

    channel.check()
    runtime.configure(start.threads)
    job = jobs.open_job(start, storage, channel)
    return job, Ready(os.getpid(), runtime.versions(), start.threads, runtime.instruction_set())


def _read_specs(start: Start) -> None:
    """Raises SpecError for what the job could not be built from, SpecError or CapacityError for want of memory."""
    if start.job == "vm.train":
        spec, schema = VerticalSpec.from_json(start.spec or {}), StreamSchema.from_json(start.schema or {})
        memory.require(memory.vertical_memory(spec, schema, arms=len(start.arms)), "Training this model")
    elif start.job == "fm.train":
        plan = memory.foundation_memory(FoundationSpec.from_json(start.spec or {}))
        memory.require(plan, "Training this foundation model")


_REPORT = "This is a defect of the supervisor: report it."
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE)


def describe(error: Exception) -> Error:
    """Any exception as an event: whose fault, a sentence, what mends it."""
    if isinstance(error, ExfmError):
        return Error(error.code, error.message, error.mend, _fault(error))
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _NO_SPACE):
        return Error(
            "child.no_room",
            f"Memory or disk ran out: {error}.",
            "Free some, or give this queue less to do.",
            "capacity",
        )
    if isinstance(error, OSError):
        return Error("child.storage", f"Storage failed: {error}.", "Check that the storage answers.", "platform")
    name = type(error).__name__
    return Error("child.unexpected", f"{name}: {error}", "The attempt's log has the trace: report it.", "platform")


def _fault(error: ExfmError) -> Fault:
    if error.code.startswith(("labels.", "data.offsets")) or isinstance(error, CheckpointError):
        return "platform"
    if isinstance(error, CapacityError):
        return "capacity"
    return "user" if isinstance(error, DataError | SpecError) else "platform"
