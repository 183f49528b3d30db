"""What a run has committed: one immutable file per unit of work, in the order of the plan, and the resume states.

A unit counts when its commit exists. Whatever dies between two commits leaves files that nothing names; the next start
goes on behind the last commit, from the states it names.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from exfm_core.das.folder import Folder
from exfm_core.errors import CheckpointError, SpecError

SPEC: Final = "run.json"
COMMITS: Final = "commits"


@dataclass(frozen=True, slots=True)
class Commit:
    """One unit: its key in the plan, the states (component → checkpoint's hash) it left, and what it measured."""

    number: int
    unit: str
    states: dict[str, str]
    measured: dict[str, Any]


class Journal:
    """Commits and checkpoints below a folder."""

    def __init__(self, folder: str | Path, identity: Mapping[str, Any]) -> None:
        """Raises SpecError if the folder holds a run with another identity."""
        self._folder = Folder(folder)
        text = json.dumps(identity, sort_keys=True, indent=1).encode()
        if not self._folder.create(SPEC, text):
            found = self._json(SPEC)
            different = sorted(key for key in {*identity, *found} if identity.get(key) != found.get(key))
            if different:
                raise SpecError(
                    "run.other",
                    f"The folder holds another run: its {', '.join(different)} differ.",
                    "Name a folder of its own for each run.",
                )
        self.commits = [self._read(name) for name in self._folder.names(COMMITS)]
        if [commit.number for commit in self.commits] != list(range(len(self.commits))):
            raise CheckpointError(
                "run.commits", "A commit of the run is missing.", "Restore the folder, or start the run anew."
            )

    def commit(self, unit: str, states: Mapping[str, bytes], measured: Mapping[str, Any]) -> Commit:
        """Stores the states, then the commit. Raises CheckpointError if another process works in the folder."""
        hashes = {}
        for component, data in states.items():
            hashes[component] = hashlib.sha256(data).hexdigest()
            self._folder.create(checkpoint_file(hashes[component]), data)
        found = Commit(len(self.commits), unit, hashes, dict(measured))
        body = {"number": found.number, "unit": unit, "states": hashes, "measured": found.measured}
        body["sha256"] = _hash(body)
        if not self._folder.create(_name(found.number), json.dumps(body, allow_nan=False).encode()):
            raise CheckpointError(
                "run.two_writers",
                f"Another process has made commit {found.number} of this run.",
                "Let one process at a time work in a folder.",
            )
        before = self._states()
        self.commits.append(found)
        for component, digest in hashes.items():
            old = before.get(component)
            if old is not None and old not in self._states().values() and old != digest:
                self._folder.remove(checkpoint_file(old))
        return found

    def state(self, component: str) -> bytes | None:
        """The component's newest checkpoint, None before its first. Raises CheckpointError if it is missing or
        damaged."""
        digest = self._states().get(component)
        return None if digest is None else self._folder.read(checkpoint_file(digest), digest)

    def _states(self) -> dict[str, str]:
        return {component: digest for commit in self.commits for component, digest in commit.states.items()}

    def _read(self, name: str) -> Commit:
        body = self._json(name)
        digest = body.pop("sha256", None)  # commits of earlier releases have none
        if not {"number", "unit", "states", "measured"} <= body.keys() or digest not in (None, _hash(body)):
            raise _damaged(name, "it is not what was committed")
        return Commit(body["number"], body["unit"], body["states"], body["measured"])

    def _json(self, name: str) -> dict[str, Any]:
        try:
            body = json.loads(self._folder.read(name))
        except ValueError as error:
            raise _damaged(name, str(error)) from error
        if not isinstance(body, dict):
            raise _damaged(name, "it is no JSON object")
        return body


def _damaged(name: str, why: str) -> CheckpointError:
    return CheckpointError("run.damaged", f"{name} cannot be read: {why}.", "Restore it, or start the run anew.")


def _hash(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _name(number: int) -> str:
    return f"{COMMITS}/{number:08d}.json"


def checkpoint_file(digest: str) -> str:
    """Where a run's folder keeps the checkpoint of that hash."""
    return f"checkpoints/{digest}.safetensors"
