"""Reads settings from the environment, with a sentence when a value cannot be used."""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]

PROCESSES = ("web", "stream", "admin", "worker", "beat", "owner")
"""The values of EXFM_PROCESS; each stands for one credential of the database."""


def text(name: str, default: str | None = None) -> str:
    """Return the variable, or the default; without either, say which variable is missing."""
    value = os.environ.get(name, "").strip() or default
    if value is None:
        raise ImproperlyConfigured(
            f"{name} is not set. Set it in the environment; .env.example shows a value for each variable."
        )
    return value


def flag(name: str, default: bool = False) -> bool:
    """Read 1/true/yes/on or 0/false/no/off."""
    value = os.environ.get(name, "").strip().lower()
    if value in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return value in {"1", "true", "yes", "on"} if value else default
    raise ImproperlyConfigured(f"{name}={value!r} is neither true nor false. Set {name}=1 or {name}=0.")


def number(name: str, default: int) -> int:
    """Read a whole number."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not value.isdigit():
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number. Set for example {name}={default}.")
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    """Read a list separated by commas."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def process() -> str:
    """Return EXFM_PROCESS: which process this is, hence what it may see."""
    value = text("EXFM_PROCESS", "owner")
    if value not in PROCESSES:
        raise ImproperlyConfigured(f"EXFM_PROCESS={value!r} is unknown. Use one of {', '.join(PROCESSES)}.")
    return value


def home() -> Path:
    """Return EXFM_HOME, the folder of everything this installation writes; `var/` of the checkout by default."""
    return Path(text("EXFM_HOME", str(ROOT / "var"))).expanduser().resolve()


def database(url: str) -> dict[str, object]:
    """Turn `postgresql://user:password@host:port/name?option=value` into Django's settings.

    A unix socket is given as `postgresql://user:password@/name?host=/folder`.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            "DATABASE_URL must look like postgresql://user:password@host:5432/name. Other databases are not supported."
        )
    options: dict[str, object] = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "config.postgres",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or parts.hostname or "",
        "PORT": str(options.pop("port", None) or parts.port or ""),
        "OPTIONS": options,
    }
