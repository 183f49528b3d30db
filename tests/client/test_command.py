"""`exfm`: where the token is kept, what is printed, and exit statuses."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exfm_client.cli import parser, settings
from exfm_client.cli.actions import ACTIONS
from exfm_client.cli.main import main
from exfm_client.cli.settings import Settings
from exfm_client.errors import Unusable
from exfm_client.uploads import instant, plan, span
from tests.client.server import say, scripted

ME = {
    "user": {"email": "ada@acme.example.com"},
    "memberships": [{"tenant": {"slug": "acme"}, "role": "owner", "permissions": []}],
}
COSTS = {
    "currency": "USD",
    "period": {"start": "2026-01-01", "end": "2026-02-01"},
    "total": "1.50",
    "kinds": [{"kind": "training", "amount": "1.50"}],
}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("EXFM_URL", "EXFM_TOKEN", "EXFM_TENANT"):
        monkeypatch.delenv(name, raising=False)


def test_login_checks_the_token_and_keeps_it_for_its_owner_alone(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    with scripted(say(200, ME)) as there:
        monkeypatch.setattr("sys.stdin", iter_lines("exfm_secret\n"))
        assert main(["login", "--url", there.url + "/", "--token-stdin"]) == 0
        assert settings.path().stat().st_mode & 0o777 == 0o600
        assert settings.path().parent.stat().st_mode & 0o777 == 0o700
        assert settings.load() == Settings(there.url, "exfm_secret", "acme")
        printed = capsys.readouterr()
        assert "exfm_secret" not in printed.out + printed.err
        there.answers[:] = [say(200, COSTS)]
        assert main(["costs"]) == 0
        assert there.asked[-1].headers["authorization"] == "Bearer exfm_secret"
        assert there.asked[-1].path == "/api/v1/tenants/acme/costs"
    assert capsys.readouterr().out == ("period    2026-01-01 to 2026-02-01\ntraining  1.50 USD\ntotal     1.50 USD\n")
    assert main(["logout"]) == 0
    assert main(["costs"]) == 3


def iter_lines(text: str) -> Any:
    """Return standard input with a text."""
    import io

    return io.StringIO(text)


def test_a_refused_token_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(say(401, {"code": "token_invalid", "detail": "No.", "mend": "Make one."})) as there:
        monkeypatch.setattr("sys.stdin", iter_lines("exfm_wrong\n"))
        assert main(["login", "--url", there.url, "--token-stdin"]) == 3
    assert not settings.path().exists()


def test_the_environment_wins_and_a_stored_token_goes_to_no_other_platform() -> None:
    settings.store(Settings("https://one.example.com", "exfm_one", "acme"))
    assert settings.load({**env(), "EXFM_TOKEN": "exfm_two"}) == Settings("https://one.example.com", "exfm_two")
    with pytest.raises(Unusable):
        settings.load({**env(), "EXFM_URL": "https://two.example.com"})


def env() -> dict[str, str]:
    """Return the environment's part that the settings read."""
    import os

    return {"XDG_CONFIG_HOME": os.environ["XDG_CONFIG_HOME"]}


def test_a_file_that_others_can_read_is_not_used() -> None:
    settings.store(Settings("https://one.example.com", "exfm_one", "acme"))
    settings.path().chmod(0o644)
    with pytest.raises(Unusable, match="chmod 600"):
        settings.load()


def asked(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Sign in through the environment."""
    monkeypatch.setenv("EXFM_URL", url)
    monkeypatch.setenv("EXFM_TOKEN", "exfm_x")
    monkeypatch.setenv("EXFM_TENANT", "acme")


@pytest.mark.parametrize(("status", "exit_status"), [(400, 1), (401, 3), (403, 3), (404, 1), (409, 1), (422, 1)])
def test_a_refusal_is_told_on_standard_error_with_its_mend(
    status: int, exit_status: int, monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path
) -> None:
    file = tmp_path / "m.yaml"
    file.write_text("name: m\nspec: {}\n")
    problem = {
        "code": "c",
        "detail": "It cannot be.",
        "mend": "Do this.",
        "errors": [{"field": "spec", "message": "Bad."}],
    }
    with scripted(say(status, problem)) as there:
        asked(monkeypatch, there.url)
        assert main(["models", "register", "-f", str(file), "--json"]) == exit_status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[:3] == ["exfm: It cannot be.", "  spec: Bad.", "  Do this."]


def test_json_is_the_apis_own_answer(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    row = {"id": "1", "name": "ads", "partitions": {"sealed": 1, "rejected": 0, "rows": 9}, "feed_fm": True}
    with scripted(say(200, {"results": [row], "next": None})) as there:
        asked(monkeypatch, there.url)
        assert main(["streams", "list", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == [row]
        assert main(["streams", "list"]) == 0
        assert capsys.readouterr().out.splitlines()[1].split() == ["ads", "1", "0", "9", "yes", "1"]


def test_an_alias_that_is_none_is_refused_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    model = "01a1fc0b-8f4e-72f1-9d2c-3f5a7c1e0b42"
    with scripted(say(200, {})) as there:
        asked(monkeypatch, there.url)
        assert main(["models", "rollback", model, "../serving"]) == 2
        assert main(["models", "point", model, "serving", "newest"]) == 2
        assert there.asked == []
    assert "Aliases are serving and candidate." in capsys.readouterr().err


def test_costs_of_all_models_are_read_page_by_page(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    money = dict.fromkeys(("training", "measurement", "fm_share"), "0.100000")
    first, second = ({"id": name, "name": f"ads-{name}", **money, "total": "0.300000"} for name in "ab")
    link = "/api/v1/tenants/acme/costs/models?order=-cost&cursor=c"
    with scripted(say(200, {"results": [first], "next": link}), say(200, {"results": [second], "next": None})) as there:
        asked(monkeypatch, there.url)
        assert main(["costs", "--models"]) == 0
        assert [request.path for request in there.asked] == [link.replace("&cursor=c", ""), link]
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["name", "training", "measurement", "fm_share", "total", "id"]
    assert [line[0] for line in lines[1:]] == ["ads-a", "ads-b"]


def test_nobody_there_is_4_and_a_wrong_word_is_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EXFM_PATIENCE", "0.1")
    asked(monkeypatch, "http://127.0.0.1:9")
    assert main(["costs"]) == 4
    with pytest.raises(SystemExit) as wrong:
        main(["stream", "list"])
    assert wrong.value.code == 2
    assert main(["models", "register", "-f", str(tmp_path / "none.yaml")]) == 2
    monkeypatch.setenv("EXFM_PATIENCE", "long")
    assert main(["costs"]) == 2


def test_every_word_has_an_action_help_and_json() -> None:
    tree = parser.tree(parser.build())
    leaves = [path for path in tree if path and not any(other.startswith(f"{path} ") for other in tree)]
    assert len(leaves) == len(ACTIONS)
    for path in leaves:
        words = path.split()
        assert "--json" in tree[path] or path == "completion"
        with pytest.raises(SystemExit) as done:
            main([*words, "--help"])
        assert done.value.code == 0


def test_intervals_come_from_names_or_options(tmp_path: Path) -> None:
    files = [tmp_path / f"ads-202601010{hour}0000Z-x.parquet" for hour in (1, 0)]
    named = [tmp_path / f"ads-20260101T0{hour}0000Z-20260101T0{hour + 1}0000Z.parquet" for hour in (1, 0)]
    for file in (*files, *named):
        file.touch()
    start = instant("2026-01-01T02:00:00+02:00")
    assert [upload.path for upload in plan(named)] == named[::-1]
    several = plan(files, start=start, every=span("15m"))
    assert several[1].start == start + timedelta(minutes=15) == several[0].end
    (one,) = plan(files[:1], start=start, end=instant("2026-01-01T01:00:00Z"))
    assert one.end - one.start == timedelta(hours=1)


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (["a.parquet"], {}),
        (["none.parquet"], {"start": "2026-01-01T00:00:00Z", "every": "1h"}),
        (["a.parquet", "b.parquet"], {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}),
        (["a.parquet"], {"start": "2026-01-01T01:00:00Z", "end": "2026-01-01T01:00:00Z"}),
        (["a.parquet"], {"end": "2026-01-01T01:00:00Z"}),
        (["a.parquet"], {"start": "2026-01-01", "every": "1h"}),
        (["a.parquet"], {"start": "soon", "every": "1h"}),
        (["a.parquet"], {"start": "2026-01-01T00:00:00Z", "every": "0h"}),
        (["a.parquet"], {"start": "2026-01-01T00:00:00Z", "every": "1h", "end": "2026-01-01T01:00:00Z"}),
        (["20260101T010000Z-20260101T000000Z.parquet"], {}),
    ],
)
def test_intervals_that_cannot_be_are_refused_before_anything_is_sent(
    names: list[str], options: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(monkeypatch, "http://127.0.0.1:9")
    for name in names:
        if name != "none.parquet":
            (tmp_path / name).touch()
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    assert main(["streams", "push", "ads", *(str(tmp_path / name) for name in names), *words]) == 2


def test_a_partition_in_use_is_not_deleted_and_its_uses_are_named(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    stream, partition = "01a1fc0b-8f4e-72f1-9d2c-3f5a7c1e0b42", "01a1fc0b-8f4e-72f1-9d2c-3f5a7c1e0b43"
    uses = [{"kind": "model", "id": stream, "name": "clicks"}]
    problem = {"code": "in_use", "detail": "It is used.", "mend": "Wait.", "uses": uses, "uses_count": 3}
    with scripted(say(409, problem)) as there:
        asked(monkeypatch, there.url)
        assert main(["streams", "delete", stream, "--partition", partition]) == 1
        (request,) = there.asked
    assert (request.method, request.path) == ("DELETE", f"/api/v1/tenants/acme/streams/{stream}/partitions/{partition}")
    told = ["exfm: It is used.", f"  model  clicks  {stream}", "  and 2 more", "  Wait."]
    assert capsys.readouterr().err.splitlines()[:4] == told
