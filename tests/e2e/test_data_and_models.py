"""A stream from a sample file, and what a team decides about a model: in the browser, to its end."""

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
