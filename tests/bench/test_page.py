"""docs/performance.md says what bench/results holds."""

from bench import page


def test_the_pages_tables_are_those_of_the_results() -> None:
    text = page.PAGE.read_text()
    assert page.render(text, page.results()) == text


def test_every_table_of_the_page_is_filled() -> None:
    text = page.PAGE.read_text()
    for name in page.TABLES:
        assert f"<!-- {name} -->\n| " in text, name
