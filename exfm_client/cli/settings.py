"""Where the platform is and with which token: EXFM_URL, EXFM_TOKEN and EXFM_TENANT, else what `exfm login` stored."""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from exfm_client.errors import Unusable
from exfm_client.transport import PATIENCE_SECONDS


@dataclass(frozen=True)
class Settings:
    """One platform, one token, one tenant ("" = the token's)."""

    url: str
    token: str
    tenant: str = ""


def path(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the file's place: `exfm/credentials.json` under XDG_CONFIG_HOME, `~/.config` unless set."""
    base = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "exfm" / "credentials.json"


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings; the environment wins. Raises `Unusable` where url or token are missing."""
    stored = _stored(path(environment))
    url = environment.get("EXFM_URL") or stored.get("url", "")
    token = environment.get("EXFM_TOKEN") or (stored.get("token", "") if url == stored.get("url") else "")
    tenant = environment.get("EXFM_TENANT") or (stored.get("tenant", "") if token == stored.get("token") else "")
    if not url or not token:
        raise Unusable("You are not signed in.", "Run `exfm login`, or set EXFM_URL and EXFM_TOKEN.")
    return Settings(url, token, tenant)


def patience(environment: Mapping[str, str] = os.environ) -> float:
    """Return EXFM_PATIENCE: seconds for which a platform that is away is waited for."""
    try:
        return float(environment.get("EXFM_PATIENCE") or PATIENCE_SECONDS)
    except ValueError as error:
        raise Unusable("EXFM_PATIENCE is no number.", "Set it to seconds, for example 60.") from error


def store(settings: Settings, environment: Mapping[str, str] = os.environ) -> Path:
    """Write the file, whole or not at all, readable by its owner alone."""
    target = path(environment)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = target.with_suffix(f".{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(settings), file, indent=1)
    fresh.replace(target)
    return target


def forget(environment: Mapping[str, str] = os.environ) -> bool:
    """Remove the file; tell whether there was one."""
    target = path(environment)
    known = target.exists()
    target.unlink(missing_ok=True)
    return known


def _stored(place: Path) -> dict[str, str]:
    try:
        mode = place.stat().st_mode
        text = place.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    if stat.S_IMODE(mode) & 0o077:
        raise Unusable(f"{place} can be read by others.", f"Close it: chmod 600 {place}.")
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Unusable(f"{place} is damaged.", "Run `exfm login` again.") from error
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}
