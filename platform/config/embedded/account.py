"""The account the embedded servers run under: ours, or `nobody` when root starts them, as PostgreSQL refuses root."""

import os
import pwd
from pathlib import Path
from typing import Any


class ServerAccount:
    """Owner of the servers' folders and processes."""

    def __init__(self) -> None:
        self.as_root = os.geteuid() == 0
        nobody = pwd.getpwnam("nobody") if self.as_root else None
        self.uid, self.gid = (nobody.pw_uid, nobody.pw_gid) if nobody else (os.geteuid(), os.getegid())

    def folder(self, path: Path, mode: int = 0o700) -> Path:
        """Make the folder if needed and give it to the account. Refuses one that belongs to somebody else."""
        for parent in reversed(path.parents):
            if not parent.exists():
                parent.mkdir(mode=0o755, exist_ok=True)
                parent.chmod(0o755)
        path.mkdir(mode=mode, exist_ok=True)
        if path.is_symlink() or path.stat().st_uid not in {os.geteuid(), self.uid}:
            raise ServerError(
                f"{path} belongs to another account. Remove it, or choose another folder with EXFM_HOME=…"
            )
        path.chmod(mode)
        self.give(path)
        return path

    def give(self, path: Path) -> None:
        """Hand one file or folder to the account."""
        if self.as_root:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def popen(self) -> dict[str, Any]:
        """Arguments for `subprocess`: the account, a session of its own (Ctrl-C must not reach it), a harmless
        folder."""
        arguments: dict[str, Any] = {"cwd": "/", "start_new_session": True}
        if self.as_root:
            arguments |= {"user": self.uid, "group": self.gid, "extra_groups": [], "umask": 0o077}
        return arguments


class ServerError(RuntimeError):
    """An embedded server cannot start; the text is a sentence and the command that mends it."""
