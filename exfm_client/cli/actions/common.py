"""What all commands need: a client, and files that people write."""

import sys
from pathlib import Path
from typing import Any

import yaml

from exfm_client.cli import settings
from exfm_client.client import Client
from exfm_client.errors import Unusable

DONE, REFUSED = 0, 1


def connect() -> Client:
    """Return a client with the settings of environment or file."""
    known = settings.load()
    return Client(known.url, known.token, tenant=known.tenant or None, patience=settings.patience())


def document(path: Path) -> dict[str, Any]:
    """Read a YAML or JSON file that holds one object."""
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        found = yaml.safe_load(text)
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}.", "Check the name.") from error
    except (UnicodeError, yaml.YAMLError) as error:
        raise Unusable(f"{path} is neither YAML nor JSON: {' '.join(str(error).split())}.", "Correct it.") from error
    if not isinstance(found, dict):
        raise Unusable(f"{path} holds no object.", "Write `name: value` lines, as the guide shows.")
    return found
