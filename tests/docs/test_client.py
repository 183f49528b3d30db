"""The quickstart of docs/client.md, copied from beginning to end against a running platform."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.demo.client import Client
from tests.docs.test_guide import Walk, end_runs
from tests.docs.walk import commands, reader
from tests.kit.platform import Running

pytestmark = pytest.mark.stack

PASSWORD = "a sentence nobody guesses"
SCOPES = ["streams:read", "streams:write", "models:read", "models:write", "runs:read", "runs:write"]
SCOPES += ["insights:read", "costs:read"]


@pytest.fixture(scope="module")
def walk(filled_platform: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """A new team that has made a token, and copies the page."""
    owner = {"email": "grace@quick.example.com", "name": "Grace", "password": PASSWORD}
    body = {"slug": "quick", "name": "Quick", "owner": owner, "budget": {"amount": "10"}}
    filled_platform.scenario.admin.post("/api/v1/admin/tenants", body)
    boss = Client(filled_platform.platform.web)
    boss.sign_in(owner["email"], PASSWORD)
    token = boss.post("/api/v1/tenants/quick/tokens", {"name": "quickstart", "scopes": SCOPES})["token"]
    folder = tmp_path_factory.mktemp("client")
    someone = reader(folder, filled_platform.platform.home)
    someone.environment |= {"XDG_CONFIG_HOME": str(folder / "config"), "HOME": str(folder)}
    own = {"EXFM_URL": filled_platform.platform.web, "EXFM_TOKEN": token, "PYTHON": sys.executable}
    try:
        yield Walk(folder, someone.copy(commands("client.md"), own))
    finally:
        end_runs(filled_platform)


def said(walk: Walk, name: str) -> str:
    """Return a file that the commands kept."""
    return (walk.folder / name).read_text()


def test_the_token_is_kept_where_only_its_owner_reads_it(walk: Walk) -> None:
    kept = walk.folder / "config/exfm/credentials.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_text())["tenant"] == "quick"
    assert "grace@quick.example.com" in said(walk, "whoami.txt")


def test_three_files_are_sealed_and_the_bad_one_is_rejected_by_row(walk: Walk) -> None:
    pushed = walk.after("exfm streams push quickstart ads-20260101T00*")
    assert pushed.count("sealed  2000 rows") == 3
    assert said(walk, "rejected.txt") == "exit status 1\n"
    assert "Column 'clicked'" in walk.after("quickstart ads-20260101T03*")


def test_the_run_is_followed_to_its_end(walk: Walk) -> None:
    followed = said(walk, "followed.txt").splitlines()
    assert followed[-1].startswith("succeeded")
    assert len(followed) >= 2


def test_the_curve_has_every_partition_and_python_reads_the_same_model(walk: Walk) -> None:
    assert sum(row["rows"] for row in json.loads(said(walk, "curve.json"))) == 6000
    first, refused = said(walk, "read.txt").splitlines()
    assert first.startswith("quickstart-click active")
    assert refused.split()[0] in {"BadRequest", "Invalid", "Conflict"}


def test_an_alias_is_moved_twice_and_taken_back(walk: Walk) -> None:
    [alias] = json.loads(said(walk, "aliases.json"))
    assert (alias["number"], alias["back_to"], alias["note"]) == (3, 1, "clicks fell")
    assert alias["checkpoint"]["id"] == json.loads(said(walk, "checkpoints.json"))[2]["id"]


def test_no_value_is_left_open(walk: Walk) -> None:
    assert set(commands("client.md")) <= set(walk.said)
    assert Path(walk.folder / "model.yaml").exists()
