"""The attempt supervisor: one lease, one child, partition after partition, until work ends or there is a reason to go.

One thread does everything in turn: it reads the inbox (events of the child, wake-ups), renews the lease, asks for work,
commits, and watches the clock. Nothing it knows survives it: whatever dies, the next attempt starts from the database.
"""

import queue
import time
import uuid
from typing import Any, Final

import structlog
from django.db import Error as DatabaseError

from exfm_core import events
from runs import claims, commits, leases
from runs.errors import BrokenReport, StaleLease
from runs.leases import HEARTBEAT_SECONDS, Lease
from runs.models import Fault, Run
from runs.outcomes import End, Outcome, end_attempt
from runs.work import start_command, work_command
from workers.bulletin import Wake, bulletin
from workers.child import ChildProcess, Garbled, Gone, Said
from workers.database import DatabaseAway, patiently
from workers.reporting import Reporter

log = structlog.get_logger("exfm.workers")

READY_SECONDS: Final = 240.0
"""Imports and a checkpoint on a crowded machine."""
POLL_SECONDS: Final = 1.0
"""How often an idle supervisor looks for work without being woken."""
GRACE_SECONDS: Final[dict[str, float]] = {"worker_shutdown": 6.0}
GRACE_OTHERWISE: Final = 20.0
FINISH_SECONDS: Final = 10.0


class Over(Exception):
    """The attempt is over; carries how."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.code)
        self.outcome = outcome


def supervise(run_id: uuid.UUID, *, worker: str) -> None:
    """Take the run if it is there to be taken, and see one attempt through."""
    if bulletin.shutdown.is_set():
        return
    try:
        lease = patiently("supervisor", lambda: leases.take(run_id=run_id, worker=worker))
    except DatabaseAway:
        return
    if lease is not None:
        Supervisor(lease).run()


class Supervisor:
    """One attempt, from its lease to its outcome."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.inbox: queue.Queue[Any] = queue.Queue()
        self.child: ChildProcess | None = None
        self.ready = False
        self.task: claims.Task | None = None
        self.seq = 0
        self.idle_since: float | None = None
        self.deadline = float("inf")
        self.next_heartbeat = 0.0
        self.next_look = 0.0
        self.log = log.bind(run=str(lease.run_id), attempt=lease.number)

    def run(self) -> None:
        """See the attempt through; every way out ends the child first and writes the outcome after."""
        try:
            with bulletin.subscribed(self.inbox):
                outcome = self._attempt()
        except Over as over:
            outcome = over.outcome
        except StaleLease as error:
            self.log.warning("lease lost; the child is ended and nothing written", error=str(error))
            self._end_child()
            return
        except DatabaseAway as error:
            self.log.error("database away; the sweep will find the lease lapsed", error=str(error).strip()[:200])
            self._end_child()
            return
        except Exception as error:
            # The boundary of the attempt: a defect of ours must not leave the run held until its lease lapses.
            self.log.exception("the supervisor failed")
            outcome = _platform("supervisor_failed", f"the supervisor failed ({type(error).__name__})")
        self._conclude(outcome)

    def _attempt(self) -> Outcome:
        self.run_row = patiently("supervisor", self._load)
        self.reporter = Reporter(self.lease, self.run_row)
        while True:
            self._keep_lease()
            if self.task is None and time.monotonic() >= self.next_look:
                self._look_for_work()
            if time.monotonic() > self.deadline:
                raise Over(self._too_late())
            self._handle(self._receive())

    def _load(self) -> Run:
        return Run.objects.select_related("model__stream", "foundation_model").get(id=self.lease.run_id)

    def _keep_lease(self) -> None:
        """Renew when due, and learn whether to stop."""
        if bulletin.shutdown.is_set():
            raise Over(self._stop("worker_shutdown", ""))
        if time.monotonic() < self.next_heartbeat:
            return
        renewal = patiently("supervisor", lambda: leases.renew(lease=self.lease))
        self.next_heartbeat = time.monotonic() + HEARTBEAT_SECONDS
        if self.child is not None:
            self.reporter.keep_log(self.child.log_tail)
        if renewal.stop_reason:
            raise Over(self._stop(renewal.stop_reason, ""))

    def _receive(self) -> Any:
        """Wait for the next message, but not beyond the next thing to do."""
        until = min(self.next_heartbeat, self.deadline, self.next_look if self.task is None else self.next_heartbeat)
        try:
            return self.inbox.get(timeout=max(0.01, until - time.monotonic()))
        except queue.Empty:
            return None

    def _look_for_work(self) -> None:
        if self.seq and self._must_yield(0.0):
            raise Over(self._stop("preempted", ""))
        answer = patiently("supervisor", lambda: claims.next_work(lease=self.lease))
        if isinstance(answer, Outcome):
            raise Over(self._stop(answer.code, answer.message))
        if isinstance(answer, claims.Task):
            self.idle_since = None
            self._give(answer)
            return
        now = time.monotonic()
        self.next_look = now + POLL_SECONDS
        self.idle_since = self.idle_since or now
        idle = now - self.idle_since
        # Without a child no device is held, so there is nothing to keep warm and nothing to charge.
        if self.child is None or idle >= self.run_row.idle_seconds or self._must_yield(idle):
            raise Over(self._finish())
        patiently("supervisor", lambda: leases.explain(lease=self.lease, code=answer.code, message=answer.message))

    def _must_yield(self, idle: float) -> bool:
        run, priority = self.lease.run_id, self.run_row.priority
        return patiently("supervisor", lambda: claims.must_yield(run_id=run, priority=priority, idle_seconds=idle))

    def _give(self, task: claims.Task) -> None:
        """Hand a claimed unit to the child, which is started with the first one."""
        self.task = task
        self.seq += 1
        command = patiently("supervisor", lambda: work_command(claim=task.claim, seq=self.seq))
        patiently("supervisor", lambda: self.reporter.begin(task))
        if self.child is None:
            start = patiently("supervisor", lambda: start_command(run=self.run_row, lease=self.lease))
            self.child = ChildProcess(
                job=self.run_row.kind, threads=self.run_row.threads, inbox=self.inbox, storage=start.storage
            )
            self.child.send(start)
        self.child.send(command)
        self.deadline = time.monotonic() + (task.hard_cap if self.ready else READY_SECONDS)

    def _handle(self, message: Any) -> None:
        match message:
            case None:
                return
            case Wake():
                self.next_look = self.next_heartbeat = 0.0
            case Said(events.Ready() as ready):
                self._on_ready(ready)
            case Said(events.Progress() as progress):
                self.reporter.progress(progress)
            case Said(events.VmDone() | events.FmDone() | events.DasDone() as done):
                self._on_done(done)
            case Said(events.Error() as error):
                raise Over(_failed(error))
            case Said(events.Stopped() as stopped):
                raise Over(_platform("child_left", f"the child left unasked ({stopped.reason})"))
            case Garbled(error):
                raise Over(_platform("child_garbled", f"the child sent a line that is no event: {error}"))
            case Gone():
                raise Over(self._died())

    def _on_ready(self, ready: events.Ready) -> None:
        self.ready = True
        environment = {"versions": dict(ready.versions), "threads": ready.threads, "isa": ready.isa}
        patiently("supervisor", lambda: leases.started(lease=self.lease, pid=ready.pid, environment=dict(environment)))
        if self.task is not None:
            self.deadline = time.monotonic() + self.task.hard_cap

    def _on_done(self, done: events.Done) -> None:
        """Commit, acknowledge, look for more."""
        task = self.task
        if task is None or done.seq != self.seq:
            raise Over(_platform("child_out_of_turn", f"the child reports {done.seq}, which was not asked for"))
        try:
            patiently("supervisor", lambda: commits.commit(lease=self.lease, claim=task.claim, done=done))
        except BrokenReport as error:
            raise Over(_platform("report_broken", str(error))) from error
        except DatabaseError as error:
            first = str(error).strip().splitlines()[0]
            raise Over(_platform("commit_refused", f"the database refused the commit: {first}")) from error
        self.task, self.deadline = None, float("inf")
        # A stop that was asked for in the meantime is learnt before more work is claimed.
        self.next_look = self.next_heartbeat = 0.0
        assert self.child is not None  # noqa: S101 - it has just reported
        self.child.send(events.Ack(done.seq))
        patiently("supervisor", self.reporter.committed)
        if isinstance(done, events.FmDone) and done.gate.decision == "corrupt":
            raise Over(_platform("foundation_corrupt", f"the candidate is corrupt ({done.gate.reason})"))

    def _stop(self, code: str, message: str) -> Outcome:
        """Ask the child to leave at the next batch; kill it after the grace time. The uncommitted unit is lost."""
        outcome = Outcome(End.STOPPED, code, message)
        if self.child is None:
            return outcome
        patiently(
            "supervisor",
            lambda: leases.stopping(lease=self.lease, code=code, message="It leaves after the current batch."),
            give_up=bulletin.shutdown.is_set,
        )
        self.child.send(events.Stop(code))
        self._await_exit(GRACE_SECONDS.get(code, GRACE_OTHERWISE))
        return outcome

    def _finish(self) -> Outcome:
        """Nothing more to do: let the child leave."""
        if self.child is not None:
            self.child.send(events.Finish())
            self._await_exit(FINISH_SECONDS)
        return Outcome(End.FINISHED, "done")

    def _await_exit(self, seconds: float) -> None:
        """Wait for the end of the child's pipe while the lease is kept; whatever it still reports is dropped."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                message = self.inbox.get(timeout=min(left, HEARTBEAT_SECONDS))
            except queue.Empty:
                patiently("supervisor", lambda: leases.renew(lease=self.lease), give_up=bulletin.shutdown.is_set)
                continue
            if isinstance(message, Gone):
                return

    def _too_late(self) -> Outcome:
        if not self.ready:
            return _platform("child_never_ready", f"the child was not ready after {READY_SECONDS:.0f} s")
        cap = self.task.hard_cap if self.task else 0.0
        message = f"the partition took more than its {cap:.0f} device-seconds"
        mend = "It is tried again; with more rows per second it fits."
        return Outcome(End.FAILED, "hard_cap", message, mend, Fault.CAPACITY)

    def _died(self) -> Outcome:
        status = self.child.wait(5.0) if self.child else None
        how = f"signal {-status}" if status is not None and status < 0 else f"exit status {status}"
        return _platform("child_died", f"the training process died ({how})")

    def _end_child(self) -> int | None:
        return self.child.end() if self.child is not None else None

    def _conclude(self, outcome: Outcome) -> None:
        status = self._end_child()
        tail = self.child.log_tail if self.child is not None else ""
        complete = Outcome(
            outcome.end, outcome.code, outcome.message, outcome.mend, outcome.fault, exit_code=status, log_tail=tail
        )
        try:
            state = patiently(
                "supervisor",
                lambda: end_attempt(lease=self.lease, outcome=complete),
                give_up=bulletin.shutdown.is_set,
            )
        except (StaleLease, DatabaseAway) as error:
            self.log.warning("the outcome could not be written; the sweep decides", error=str(error).strip()[:200])
            return
        self.log.info("attempt ended", end=str(outcome.end), code=outcome.code, state=str(state))


def _failed(error: events.Error) -> Outcome:
    return Outcome(End.FAILED, error.code, error.message, error.mend, Fault(error.fault))


def _platform(code: str, message: str) -> Outcome:
    mend = "Nothing to do unless it repeats; then tell the operators of the platform."
    return Outcome(End.FAILED, code, message, mend, Fault.PLATFORM)
