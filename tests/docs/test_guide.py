"""The guides' commands, copied in order by an operator and a new team: what they answer is what the text says."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.embedded.installation import Installation
from scripts.demo.client import ApiProblem
from tests.docs.walk import ROOT, Reader, commands, reader
from tests.kit.patience import PATIENCE
from tests.kit.platform import Running
from tests.workers.waiting import wait_for

pytestmark = pytest.mark.stack

GUIDE = ROOT / "docs/guide.md"


@dataclass
class Walk:
    """The folder in which the commands ran, and what each said, by its text."""

    folder: Path
    said: dict[str, str]

    def answer(self, name: str) -> Any:
        """Decode a file that the commands kept."""
        return json.loads((self.folder / name).read_text())

    def after(self, text: str) -> str:
        """Return what the first command that contains `text` said."""
        return next(answer for block, answer in self.said.items() if text in block)


def first_steps(platform: Running, someone: Reader) -> dict[str, str]:
    """Copy the operators' guide from the first administrator to the first tenant."""
    first, *rest = commands("operators.md", heading="First administrator", until="Budgets and rates")
    said = someone.copy([first], {})
    token = re.search(r"^API token: +(exfm_\S+)$", said[first], re.MULTILINE)
    assert token, said[first]
    return said | someone.copy(rest, {"ADMIN": platform.platform.admin, "ADMIN_TOKEN": token[1]})


def end_runs(platform: Running) -> None:
    """Stop what the guide left open, so that the platform is as idle as it was found."""

    def none_open() -> bool:
        found = platform.scenario.admin.get("/api/v1/admin/runs", state="open")["results"]
        for run in found:
            if run["stop_requested_at"] is None:
                try:
                    platform.scenario.admin.post(f"/api/v1/admin/runs/{run['id']}/stop")
                except ApiProblem as problem:
                    assert problem.status == 409
        return not found

    wait_for("all runs ended", none_open, every=0.2)


@contextmanager
def patient_runs(platform: Running, slug: str) -> Iterator[None]:
    """Keep the team's runs warm for minutes instead of ten seconds: the guide stops one before it ends by itself, which
    a person does, and a busy machine may not."""
    with psycopg.connect(Installation(platform.platform.home).database_url("owner"), autocommit=True) as owner:
        owner.execute(f"""
            CREATE FUNCTION patient() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF EXISTS (SELECT FROM tenancy_tenant WHERE id = NEW.tenant_id AND slug = '{slug}') THEN
                    NEW.idle_seconds := {2 * PATIENCE:.0f};
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER patient BEFORE INSERT ON runs_run FOR EACH ROW EXECUTE FUNCTION patient();
        """)
        try:
            yield
        finally:
            owner.execute("DROP TRIGGER patient ON runs_run; DROP FUNCTION patient()")


@pytest.fixture(scope="module")
def walk(filled_platform: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """Both guides, copied from beginning to end into one shell."""
    someone = reader(tmp_path_factory.mktemp("guide"), filled_platform.platform.home)
    said = first_steps(filled_platform, someone)
    try:
        own = {"EXFM": filled_platform.platform.web, "PYTHON": sys.executable}
        with patient_runs(filled_platform, "acme"):
            said |= someone.copy(commands("guide.md"), own)
        yield Walk(someone.folder, said)
    finally:
        end_runs(filled_platform)


def test_the_new_team_is_shown_the_foundation_model_of_the_operators_guide(walk: Walk) -> None:
    shown = walk.answer("foundation.json")
    assert (shown["name"], shown["bound"], shown["task_kinds"]) == ("guide-ads", False, ["click", "conversion"])
    schema = walk.answer("schema.json")
    assert {f["catalogue"] for f in schema["features"] if "catalogue" in f} == {f["name"] for f in shown["catalogue"]}


def test_partitions_are_sealed_and_the_bad_one_is_rejected_by_column_and_row(walk: Walk) -> None:
    sealed = walk.answer("partition.json")
    assert (sealed["state"], sealed["rows"]) == ("sealed", 3000)
    assert 0 < sealed["positives"]["click"] < 3000
    (problem,) = walk.answer("bad.json")["problems"]
    assert (problem["column"], problem["row"]) == ("hour", 7)
    assert problem["message"] in GUIDE.read_text()
    assert "exit status 1" in walk.after("exfm_core validate")


def test_the_model_has_a_lift_with_its_interval(walk: Walk) -> None:
    model = walk.answer("model-now.json")
    lift = model["lift"]
    assert lift["low"] <= lift["value"] <= lift["high"]
    assert (lift["rows"], lift["covered"]["rows"]) == (15_000, 12_000), "all but the first partition have labels"
    assert json.dumps(model["serving"]) in " ".join(GUIDE.read_text().split())


def test_a_stopped_run_keeps_what_it_committed_and_is_queued_again(walk: Walk) -> None:
    stopped = walk.answer("run.json")
    assert stopped["state"] == "cancelled"
    assert [partition["state"] for partition in stopped["partitions"]] == ["done"] * 5
    assert walk.answer("retried.json")["model"] == stopped["model"]


def test_a_schema_is_proposed_for_the_guides_own_file(walk: Walk) -> None:
    proposed, wanted = walk.answer("proposal.json")["schema"], walk.answer("schema.json")
    assert (proposed["event_time"], proposed["user_key"]) == (wanted["event_time"], wanted["user_key"])
    assert [task["label"] for task in proposed["tasks"]] == ["clicked"]


def test_an_alias_is_moved_twice_and_taken_back(walk: Walk) -> None:
    newest, second = (walk.folder / "checkpoints").read_text().split()[:2]
    alias = walk.answer("alias.json")
    assert (alias["alias"], alias["checkpoint"]["id"], alias["note"]) == ("serving", second, "worse in the shop")
    moves = walk.answer("moves.json")["results"]
    assert [move["checkpoint"]["id"] for move in moves] == [second, newest, second]


def test_lineage_leads_from_the_model_to_a_partition_and_back(walk: Walk) -> None:
    model = walk.answer("model-now.json")["id"]
    assert {course["partitions"] for course in walk.answer("lineage.json")["courses"]} == {5}
    assert model in {use["model"]["id"] for use in walk.answer("uses.json")["consumed_by"]}
    assert (walk.folder / "card.md").read_text().startswith("# guide-click, version 1")


def test_every_block_is_copied_and_leaves_no_value_open(walk: Walk) -> None:
    copied = commands("guide.md")
    assert set(copied) <= set(walk.said)
    assert [block for block in copied if re.search(r"…|<[a-z ]+>", block) and '"""' not in block] == []
