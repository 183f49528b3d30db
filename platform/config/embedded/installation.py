"""Where one installation keeps its things, and the addresses of its embedded servers. Two checkouts never
share any of it."""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

from config.embedded.secret_files import SecretFiles

DATABASE = "exfm"
ROLES = {
    "owner": "exfm_owner",
    "web": "exfm_app",
    "stream": "exfm_app",
    "admin": "exfm_platform",
    "worker": "exfm_platform",
    "beat": "exfm_platform",
}
"""EXFM_PROCESS → database role."""

SOCKET_PATH_MAX = 107
"""Bytes a unix socket's path may have on Linux."""


def open_to_all(path: Path) -> bool:
    """Tell whether any account can pass through the folder and all its parents."""
    return all(not folder.exists() or folder.stat().st_mode & 1 for folder in [path, *path.parents])


class Installation:
    """Paths and addresses below EXFM_HOME."""

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self.secrets = SecretFiles(self.home / "secrets")
        digest = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
        # Servers started by root run as `nobody`, who cannot look into a private home.
        private = os.geteuid() == 0 and not open_to_all(self.home)
        self.servers = Path("/var/lib/exfm") / digest if private else self.home / "servers"
        near = self.servers / "run"
        fits = len(os.fsencode(near / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_MAX
        self.run = near if fits else Path(tempfile.gettempdir()) / f"exfm-{os.geteuid()}-{digest}"

    @property
    def logs(self) -> Path:
        """Folder of the servers' logs."""
        return self.home / "logs"

    @property
    def storage_url(self) -> str:
        """Folder of partitions, label sets, checkpoints and snapshots, as an fsspec address."""
        return f"file://{self.home / 'storage'}"

    def close_to_others(self) -> None:
        """Make the folders of tenants' data and of the logs, and let no other account of the machine look into them."""
        for folder in (self.home / "storage", self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)

    def database_url(self, process: str) -> str:
        """Return the address with the credential of the process's role (EXFM_PROCESS)."""
        role = ROLES[process]
        password = self.secrets.read(f"{role}_password")
        return (
            f"postgresql://{role}:{quote(password, safe='')}@/{DATABASE}?host={quote(str(self.run), safe='')}&port=5432"
        )

    def broker_url(self) -> str:
        """Return the broker's address."""
        return f"redis+socket://{self.run / 'valkey.sock'}"
