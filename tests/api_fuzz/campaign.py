"""Schemathesis over the whole API of a running platform: `python -m tests.api_fuzz.campaign --seconds 300`.

Every operation gets requests that its description allows and requests that it forbids, alone and in sequences where
one operation's answer holds another's id. All of Schemathesis' checks are on. Tenants' part and administrators' part
are two runs, as they are two processes with two credentials. The event stream, which never ends, has tests of its own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.api_fuzz.world import World, furnish

ROOT = Path(__file__).resolve().parents[2]
SEED = 20_261_121
UNLIMITED = "1000000"
"""Requests a minute: the rate limit has tests of its own, and would answer everything here."""

CONFIG = """
generation.database = "none"
# Null characters are refused everywhere, and tested by hand: no description could say so without a pattern per text.
generation.allow-x00 = false

# Well-formed requests that the state or a rule beyond the description forbids.
[checks.positive_data_acceptance]
expected-statuses = [{positive}]

[checks.negative_data_rejection]
expected-statuses = [{negative}]

{specified}
[parameters]
{parameters}
"""
POSITIVE = ("2xx", "401", "403", "404", "409", "412", "422", "429")
SPECIFIED = (
    "streams_create", "partitions_create", "partitions_import", "models_create", "models_check",
    "models_versions_create", "admin_foundation_models_create", "admin_identity_providers_create",
    "sso_start", "sso_callback", "streams_infer", "admin_device_profiles_set",
)  # fmt: skip
"""Operations whose bodies hold more than their description says: specifications, files, redirects elsewhere."""

OPEN = (
    "session_create", "session_read", "session_delete", "invitation_look", "invitation_accept", "password_reset",
    "sso_providers", "sso_start", "sso_callback", "account_read", "account_password",
)  # fmt: skip
"""Operations without a wall, where the check against forgery comes before the one of the method."""

NEGATIVE = ("400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "422", "429")


@dataclass(frozen=True)
class Part:
    """One process of the platform and what of the description it answers."""

    name: str
    url: str
    token: str
    ids: dict[str, str]
    choice: tuple[str, ...]


def parts_of(world: World, web: str, admin: str) -> list[Part]:
    """Return both parts."""
    pattern = "^/api/v1/admin/"
    return [
        Part("tenants", web, world.token, world.tenant_ids, ("--exclude-path-regex", pattern)),
        Part("administrators", admin, world.admin_token, world.admin_ids, ("--include-path-regex", pattern)),
    ]


def fuzz(part: Part, *, seconds: int, folder: Path, examples: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run Schemathesis over a part; its exit status is 0 where nothing was found."""
    config = folder / f"{part.name}.toml"
    quoted = {
        name: ", ".join(f'"{code}"' for code in codes)
        for name, codes in (("positive", POSITIVE), ("negative", NEGATIVE))
    }
    parameters = "\n".join(f'"path.{name}" = "{value}"' for name, value in part.ids.items())
    config.write_text(CONFIG.format(parameters=parameters, specified=_exceptions(quoted["positive"]), **quoted))
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run"]
    command += [str(ROOT / "docs/openapi.yaml"), "--url", part.url, "--header", f"Authorization: Bearer {part.token}"]
    command += [
        "--seed",
        str(SEED),
        "--max-time",
        str(seconds),
        "--continue-on-failure",
        "--no-color",
    ]
    command += ["--request-timeout", "20", "--warnings", "off", "--exclude-operation-id", "events_stream", *part.choice]
    if examples:
        command += ["--max-examples", str(examples)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=seconds * 3 + 120)


def _exceptions(positive: str) -> str:
    lines = []
    for name in sorted({*OPEN, *SPECIFIED}):
        lines += ["[[operations]]", f'include-operation-id = "{name}"']
        if name in OPEN:
            lines.append("checks.unsupported_method.enabled = false")
        if name in SPECIFIED:
            lines.append(f'checks.positive_data_acceptance.expected-statuses = [{positive}, "3xx", "400"]')
    return "\n".join(lines)


def main() -> int:
    """Start a platform of its own and fuzz it."""
    from tests.kit.platform import home, running

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=int, default=300, help="for each of the two parts")
    wanted = parser.parse_args()
    os.environ["EXFM_REQUESTS_PER_MINUTE"] = UNLIMITED
    status = 0
    with home() as place, running(place) as platform, tempfile.TemporaryDirectory() as folder:
        web, admin = platform.platform.web, platform.platform.admin
        world = furnish(web=web, admin_url=admin, admin_token=platform.platform.admin_token())
        for part in parts_of(world, web, admin):
            done = fuzz(part, seconds=wanted.seconds, folder=Path(folder))
            print(done.stdout, done.stderr, sep="\n", flush=True)
            status = max(status, done.returncode)
    return status


if __name__ == "__main__":
    sys.exit(main())
