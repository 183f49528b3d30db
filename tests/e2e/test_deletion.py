"""Data deleted in the browser: what nothing uses goes, after a word of what is lost; what is used says by what."""

import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from scripts.demo.client import ApiProblem
from tests.e2e.test_every_page import AT_REST, AXE, LOOKS, PHONE, WIDE, serious, settle

START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 40
SCHEMA = {
    "features": [{"name": "price", "kind": "dense"}],
    "tasks": [{"name": "click", "kind": "click", "label": "clicked"}],
    "event_time": "event_time",
    "user_key": "user_id",
}


def uploaded(team: Any, name: str) -> str:
    """Return a new stream's id; it holds one hour of rows."""
    times = [START + timedelta(minutes=minute) for minute in range(ROWS)]
    table = pa.table(
        {
            "user_id": pa.array(range(ROWS), pa.int64()),
            "price": pa.array([float(minute) for minute in range(ROWS)], pa.float32()),
            "clicked": pa.array([minute % 2 for minute in range(ROWS)], pa.int8()),
            "event_time": pa.array(times, pa.timestamp("us", tz="UTC")),
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    content = buffer.getvalue()
    stream = str(team.client.post(team.path("streams"), {"name": name, "schema": SCHEMA})["id"])
    digest, end = hashlib.sha256(content).hexdigest(), START + timedelta(hours=1)
    path = team.path(f"streams/{stream}/partitions")
    team.client.upload(path, content, digest, start=START.isoformat(), end=end.isoformat())
    return stream


def test_a_stream_goes_once_its_partition_went(page: Page, web: str, team: Any) -> None:
    stream = uploaded(team, "deleted-by-hand")
    settle(page, f"{web}/t/{team.recipe.slug}/data?stream={stream}")
    partitions = page.get_by_role("region", name="Partitions", exact=True)
    expect(partitions.get_by_text("sealed", exact=True)).to_be_visible()
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Delete the stream deleted-by-hand").click()
    expect(dialog).to_contain_text("cannot be brought back")
    dialog.get_by_role("button", name="Delete it").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Delete its partitions first.")
    expect(dialog.get_by_role("list", name="In use by").get_by_role("listitem")).to_contain_text(
        "partition: 2026-01-01"
    )
    dialog.get_by_role("button", name="Keep it").click()

    partitions.get_by_role("button", name="Uses of 2026-01-01").click()
    page.get_by_role("button", name="Delete the partition 2026-01-01").press("Enter")
    expect(dialog).to_contain_text(f"{ROWS} rows")
    expect(dialog).to_contain_text("of the storage quota become free")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Delete the partition 2026-01-01")).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Delete it").press("Enter")
    told = page.get_by_role("status")
    expect(told.filter(has_text="Deleted the partition 2026-01-01 00:00 – 01:00 UTC.")).to_be_visible()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("main")).to_be_focused()
    expect(page.get_by_text("No partition yet")).to_be_visible()
    assert team.client.get(team.path(f"streams/{stream}/partitions"))["results"] == []

    page.get_by_role("button", name="Delete the stream deleted-by-hand").click()
    dialog.get_by_role("button", name="Delete it").click()
    expect(told.filter(has_text="Deleted the stream deleted-by-hand.")).to_be_visible()
    expect(page.get_by_role("region", name="Stream deleted-by-hand")).to_have_count(0)
    with pytest.raises(ApiProblem) as gone:
        team.client.get(team.path(f"streams/{stream}"))
    assert gone.value.status == 404


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_what_is_used_stays_and_leads_to_its_uses(
    browser: Browser, session: StorageState, web: str, team: Any, size: Any
) -> None:
    context = browser.new_context(viewport=size, storage_state=session, bypass_csp=True)
    page = context.new_page()
    model = team.client.get(team.path("models"))["results"][0]
    path = team.path(f"streams/{model['stream']['id']}/partitions")
    used = next(each for each in team.client.get(path)["results"] if each["trained"] > 0)
    data = f"{web}/t/{team.recipe.slug}/data?stream={model['stream']['id']}&partition={used['id']}"
    settle(page, data)
    page.get_by_role("button", name="Delete the partition").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Delete it").click()
    expect(dialog.get_by_role("alert")).to_contain_text("What a model has learned from stays")
    page.evaluate(AXE.read_text())
    for scheme, rules in LOOKS.items():
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
        page.evaluate(AT_REST)
        assert serious(page, rules) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    dialog.get_by_role("link", name=model["name"]).first.click()
    expect(page.get_by_role("heading", level=1, name=model["name"])).to_be_visible()
    expect(dialog).to_have_count(0)
    assert team.client.get(f"{path}/{used['id']}")["state"] == "sealed"
    context.close()
