"""A stream from a sample file, and what a team decides about a model: in the browser, to its end."""

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect


def test_a_sample_file_becomes_a_stream(page: Page, web: str, team: Any) -> None:
    header, rows = "ts,user_id,item_id,clicked", [f"{1_700_000_000 + n},{n % 7},{n % 90},{n % 2}" for n in range(300)]
    page.goto(f"{web}/t/{team.recipe.slug}/data")
    page.get_by_role("button", name="New stream").click()
    chooser = page.locator("input[type=file]")
    spoilt = "\n".join([header, *rows, "1,2"]).encode()
    chooser.set_input_files({"name": "rows.csv", "mimeType": "text/csv", "buffer": spoilt})
    expect(page.get_by_role("alert")).to_contain_text("Expected 4 columns, got 2")
    sample = "\n".join([header, *rows]).encode()
    chooser.set_input_files({"name": "rows.csv", "mimeType": "text/csv", "buffer": sample})
    page.get_by_label("Name").fill("from-a-sample")
    page.get_by_label("Use item_id").uncheck()
    page.get_by_role("button", name="Register the stream").click()
    expect(page.get_by_role("region", name="Stream from-a-sample")).to_be_visible()
    made = next(row for row in team.client.get(team.path("streams"))["results"] if row["name"] == "from-a-sample")
    assert [feature["name"] for feature in made["schema"]["features"]] == ["user_id"]
    assert (made["schema"]["event_time"], made["schema"]["user_key"]) == ("ts", "user_id")


def test_an_alias_is_set_moved_and_rolled_back(page: Page, web: str, team: Any) -> None:
    model = team.client.get(team.path("models"))["results"][0]["id"]
    page.goto(f"{web}/t/{team.recipe.slug}/models/{model}?tab=course")
    checkpoints = team.client.get(team.path(f"models/{model}/checkpoints"))["results"]
    for row in (0, 1):
        page.get_by_role("button", name="Candidate", exact=True).nth(row).click()
        page.get_by_role("button", name="Point candidate here").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Roll back candidate").click()
    page.get_by_role("button", name="Roll back", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    alias = team.client.get(team.path(f"models/{model}/aliases/candidate"))
    assert (alias["number"], alias["back_to"], alias["checkpoint"]["id"]) == (3, 1, checkpoints[0]["id"])


def test_a_file_becomes_a_partition_and_a_wrong_interval_says_how_to_mend_it(
    page: Page, web: str, team: Any, tmp_path: Path
) -> None:
    schema = {
        "features": [{"name": "price", "kind": "dense"}],
        "tasks": [{"name": "click", "kind": "click", "label": "clicked"}],
        "event_time": "event_time",
    }
    stream = team.client.post(team.path("streams"), {"name": "by-hand", "schema": schema})
    partitions = team.path(f"streams/{stream['id']}/partitions")
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=UTC)
    file = tmp_path / f"late-{start:%Y%m%dT%H%M%SZ}-{end:%Y%m%dT%H%M%SZ}.parquet"
    file.write_bytes(b"PAR1 and no more PAR1")
    page.goto(f"{web}/t/{team.recipe.slug}/data?stream={stream['id']}")
    page.get_by_role("button", name="Upload a file").click()
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_label("Start (UTC)")).to_have_value(re.compile(rf"^{start:%Y-%m-%dT%H:%M}"))
    page.get_by_label("End (UTC), not in it").fill(f"{start:%Y-%m-%dT%H:%M:%S}")
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("start must be before end")
    page.get_by_label("End (UTC), not in it").fill(f"{end:%Y-%m-%dT%H:%M:%S}")
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    found = team.client.get(partitions)["results"][0]
    assert datetime.fromisoformat(found["start"]) == start
    assert found["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    expect(page.get_by_role("region", name="Partitions", exact=True).get_by_text("2026-01-01 00:00")).to_be_visible()


def test_the_catalogue_says_what_columns_can_feed(page: Page, web: str, team: Any) -> None:
    page.goto(f"{web}/t/{team.recipe.slug}/foundation")
    panel = page.get_by_role("region", name="Feature catalogue")
    for feature in team.client.get(team.path("foundation"))["catalogue"]:
        expect(panel.get_by_text(feature["name"], exact=True).first).to_be_visible()
