"""What the owner of a tenant sees, against what the API says."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

NUMBER = r"[+−]?\d+(?:\.\d+)?"
LIFT = re.compile(rf"({NUMBER}) % NE ± ({NUMBER})")


def read_lift(text: str) -> tuple[float, float]:
    """Return figure and half-width of `+0.84 % NE ± 0.12`."""
    found = LIFT.search(text)
    assert found, f"no lift with its interval in {text!r}"
    figure, half = (float(part.replace("−", "-")) for part in found.groups())
    return figure, half


def assert_is(text: str, lift: dict[str, Any]) -> None:
    """The text says what the API says, to the digits shown."""
    figure, half = read_lift(text)
    assert figure == pytest.approx(lift["value"], abs=0.0051)
    assert half == pytest.approx((lift["high"] - lift["low"]) / 2, abs=0.0051)


def test_the_overview_shows_the_lift_of_the_api(page: Page, web: str, team: Any, overview: Any) -> None:
    page.goto(f"{web}/t/{team.recipe.slug}")
    expect(page.get_by_role("heading", name=overview["tenant"]["name"])).to_be_visible()
    for model in overview["models"]:
        row = page.get_by_role("link", name=re.compile(rf"^{re.escape(model['name'])}: "))
        expect(row).to_be_visible()
        assert_is(row.get_attribute("aria-label") or "", model["lift"])


def test_the_table_the_model_page_and_its_curve_agree_with_the_api(
    page: Page, web: str, team: Any, overview: Any
) -> None:
    model = overview["models"][0]
    page.goto(f"{web}/t/{team.recipe.slug}/models")
    row = page.get_by_role("row").filter(has_text=model["name"])
    assert_is(row.get_by_test_id("lift").inner_text(), model["lift"])
    assert f"{model['ne']['treatment']:.4f}" in row.inner_text()

    page.get_by_role("link", name=model["name"], exact=True).click()
    expect(page.get_by_role("heading", level=1, name=model["name"])).to_be_visible()
    assert_is(page.get_by_test_id("lift").first.inner_text(), model["lift"])
    expect(page.locator("canvas")).to_have_count(2)

    curve = team.client.get(team.path(f"models/{model['id']}/curve"))["partitions"]
    chart = page.get_by_role("region", name=re.compile("^Normalized entropy"))
    chart.get_by_role("button", name="Show as a table").click()
    rows = chart.get_by_role("row")
    expect(rows).to_have_count(len(curve) + 1)
    last = rows.last.inner_text().split("\t")
    assert float(last[-1]) == pytest.approx(curve[-1]["cumulative"]["ne_treatment"], rel=1e-5)


def test_a_run_page_shows_its_state_partitions_and_cost(page: Page, web: str, team: Any) -> None:
    run = next(run for run in team.client.get(team.path("runs"))["results"] if run["kind"] == "vm.train")
    detail = team.client.get(team.path(f"runs/{run['id']}"))
    page.goto(f"{web}/t/{team.recipe.slug}/runs")
    page.get_by_role("row").filter(has_text=run["id"][-8:]).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(detail["model"]["name"])
    expect(page.get_by_text(run["state"], exact=True).first).to_be_visible()
    table = page.get_by_role("region", name="Partitions of this run")
    expect(table.get_by_role("row")).to_have_count(len(detail["partitions"]) + 1)


def test_filters_live_in_the_address(page: Page, web: str, team: Any, overview: Any) -> None:
    page.goto(f"{web}/t/{team.recipe.slug}/models")
    page.get_by_label("Search by name, task or stream").fill("no such model")
    expect(page.get_by_text("No model matches")).to_be_visible()
    assert "q=no" in page.url
    page.goto(f"{web}/t/{team.recipe.slug}/models?q={overview['models'][0]['name']}&sort=cost")
    expect(page.get_by_role("columnheader", name="Cost", exact=True)).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_text("1 model", exact=True)).to_be_visible()


def test_a_chart_answers_the_keyboard_and_can_be_taken_along(page: Page, web: str, team: Any, overview: Any) -> None:
    model = overview["models"][0]
    page.goto(f"{web}/t/{team.recipe.slug}/models/{model['id']}")
    chart = page.get_by_role("region", name=re.compile("^Lift by partition"))
    plot = chart.get_by_role("application")
    expect(plot.locator("canvas")).to_be_visible()
    plot.focus()
    page.keyboard.press("End")
    expect(plot.get_by_role("status")).to_contain_text("Cumulative")
    for item, ending in (("Picture (PNG)", ".png"), ("Figures (CSV)", ".csv")):
        chart.get_by_role("button", name=re.compile("^Download")).click()
        with page.expect_download() as download:
            page.get_by_role("menuitem", name=item).click()
        assert download.value.suggested_filename.endswith(ending)
        assert download.value.path().stat().st_size > 100


def test_costs_and_ledger_are_those_of_the_api(page: Page, web: str, team: Any, overview: Any) -> None:
    page.goto(f"{web}/t/{team.recipe.slug}/costs")
    expect(page.get_by_role("heading", name="Ledger")).to_be_visible()
    expect(page.get_by_role("region", name="Costs by model").get_by_role("link")).to_have_count(len(overview["models"]))
