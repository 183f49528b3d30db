"""The client's types are what docs/openapi.yaml says: generated, marked so, and compared by `make lint`."""

from pathlib import Path

import pytest

from scripts import client_models, openapi


def test_the_types_are_those_of_the_description(tmp_path: Path) -> None:
    openapi.write_client(openapi.SPEC, tmp_path / "schema.py")
    assert openapi.CLIENT.read_text() == (tmp_path / "schema.py").read_text(), "run `make openapi`"
    first = openapi.CLIENT.read_text().splitlines()[0]
    assert "Generated from docs/openapi.yaml by `make openapi`; not to be edited." in first


def test_a_stale_file_fails_the_check_and_the_difference_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The client's types alone are made anew here: the description and the dashboard's types are as committed."""
    spec, types = openapi.SPEC.read_text(), openapi.TYPES.read_text()
    monkeypatch.setattr(openapi, "write_spec", lambda target: target.write_text(spec))
    monkeypatch.setattr(openapi, "write_types", lambda _, target: target.write_text(types))
    assert openapi.main(["--check"]) == 0
    real = client_models.generate
    other = ("recovery_codes_left: int", "recovery_codes_left: str")
    monkeypatch.setattr(client_models, "generate", lambda spec: real(spec).replace(*other))
    assert openapi.main(["--check"]) == 1
    shown = capsys.readouterr().err
    assert "-    recovery_codes_left: int\n+    recovery_codes_left: str" in shown
    assert "Run `make openapi`" in shown
