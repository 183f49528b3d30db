"""Schemathesis over the whole API of a running platform: `python -m tests.api_fuzz.campaign --seconds 300`.

Every operation gets requests that its description allows and requests that it forbids, alone and in sequences where
one operation's answer holds another's id. All of Schemathesis' checks are on. Tenants' part and administrators' part
are apart, as they are two processes with two credentials; so are requests alone and sequences, each with time of its
own: in one run the first would take what the second needs. The event stream, which never ends, has tests of its own.
"""

import argparse
import os
import re
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
    "sso_providers", "sso_start", "sso_callback", "sso_code", "account_read", "account_password",
)  # fmt: skip
"""Operations without a wall, where the check against forgery comes before the one of the method."""

NEGATIVE = ("400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "422", "429")


PHASES = {"alone": ("examples", "coverage", "fuzzing"), "sequences": ("stateful",)}
"""How operations are called -> the phases of Schemathesis that do so."""

ACTED_ON = {"tenants": "^/api/v1/tenants/", "administrators": "^/api/v1/admin/"}
"""What sequences go through. Not sign-in: its addresses take any name, so that sequences would never leave them."""


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


@dataclass(frozen=True)
class Found:
    """How a run of Schemathesis ended. `status` is 0 where nothing was found; `links` counts the answers whose ids
    were used in a request that came after."""

    status: int
    text: str
    scenarios: int
    links: int


def fuzz(part: Part, how: str, *, folder: Path, seconds: int = 0, examples: int = 0, seed: int = SEED) -> Found:
    """Call the part's operations, `alone` or in `sequences`; the same requests for the same seed.

    For so many seconds; or, where a busy machine shall do no less than an idle one, for so many examples.
    """
    config = folder / f"{part.name}-{how}.toml"
    quoted = {
        name: ", ".join(f'"{code}"' for code in codes)
        for name, codes in (("positive", POSITIVE), ("negative", NEGATIVE))
    }
    parameters = "\n".join(f'"path.{name}" = "{value}"' for name, value in part.ids.items())
    config.write_text(CONFIG.format(parameters=parameters, specified=_exceptions(quoted["positive"]), **quoted))
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run"]
    command += [str(ROOT / "docs/openapi.yaml"), "--url", part.url, "--header", f"Authorization: Bearer {part.token}"]
    command += ["--phases", ",".join(PHASES[how]), "--seed", str(seed)]
    command += ["--max-time", str(seconds)] if seconds else ["--max-examples", str(examples)]
    command += ["--continue-on-failure", "--no-color", "--request-timeout", "20", "--warnings", "off"]
    command += ["--exclude-operation-id", "events_stream"]
    command += part.choice if how == "alone" else ("--include-path-regex", ACTED_ON[part.name])
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=seconds * 3 + 180)
    return Found(
        done.returncode,
        done.stdout + done.stderr,
        _count(r"Scenarios: +(\d+)", done.stdout),
        _count(r"API Links: +(\d+) covered", done.stdout),
    )


def _count(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


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
    parser.add_argument(
        "--seconds", type=int, default=300, help="for each of the two parts, a third of them for sequences"
    )
    parser.add_argument("--seed", type=int, default=SEED, help="another one makes other requests")
    wanted = parser.parse_args()
    os.environ["EXFM_REQUESTS_PER_MINUTE"] = UNLIMITED
    status = 0
    with home() as place, running(place) as platform, tempfile.TemporaryDirectory() as folder:
        web, admin = platform.platform.web, platform.platform.admin
        world = furnish(web=web, admin_url=admin, admin_token=platform.platform.admin_token())
        for part in parts_of(world, web, admin):
            for how, share in (("sequences", wanted.seconds // 3), ("alone", wanted.seconds - wanted.seconds // 3)):
                found = fuzz(part, how, seconds=max(1, share), folder=Path(folder), seed=wanted.seed)
                print(found.text, flush=True)
                status = max(status, found.status)
    return status


if __name__ == "__main__":
    sys.exit(main())
