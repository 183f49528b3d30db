"""The live stream: open on every page, honest when it drops."""

from typing import Any

from playwright.sync_api import Page, expect

BANNER = "Live updates dropped"


def test_the_stream_opens_and_nothing_complains(page: Page, web: str, team: Any) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with page.expect_response("**/events") as stream:
        page.goto(f"{web}/t/{team.recipe.slug}")
    assert stream.value.status == 200
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text(BANNER)).to_have_count(0)
    assert complaints == []


def test_a_dropped_stream_is_said_and_resumes_by_itself(page: Page, web: str, team: Any) -> None:
    page.route("**/events", lambda route: route.abort())
    page.goto(f"{web}/t/{team.recipe.slug}")
    expect(page.get_by_text(BANNER)).to_be_visible()
    expect(page.get_by_role("heading", name="Quota")).to_be_visible()
    page.unroute("**/events")
    expect(page.get_by_text(BANNER)).to_have_count(0)


def test_a_failing_api_is_said_with_a_way_to_try_again(page: Page, web: str, team: Any) -> None:
    problem = '{"code": "x", "detail": "The database does not answer.", "mend": "Try again in a minute."}'
    page.route(
        "**/overview",
        lambda route: route.fulfill(status=500, content_type="application/problem+json", body=problem),
    )
    page.goto(f"{web}/t/{team.recipe.slug}")
    expect(page.get_by_role("alert")).to_contain_text("The database does not answer. Try again in a minute.")
    page.unroute("**/overview")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Quota")).to_be_visible()
