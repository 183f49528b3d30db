"""The state machine: every pair of states, with the right, a wrong and no lease."""

import uuid
from itertools import product

import pytest

from runs.models import Run, State
from runs.states import FINAL, LEASED, TRANSITIONS, move
from tests.kit.domain import make_run
from tests.platform.runs.setting import make_setting


def run_in(state: State) -> tuple[Run, uuid.UUID | None]:
    setting = make_setting()
    token = uuid.uuid4() if state in LEASED else None
    return make_run(setting.tenant, setting.model, state=state, lease_token=token), token


@pytest.mark.parametrize(("source", "target"), list(product(State, State)))
def test_only_the_tables_transitions_are_made(source, target):
    run, token = run_in(source)
    assert move(run_id=run.id, to=target, token=token) is (target in TRANSITIONS[source])
    run.refresh_from_db()
    assert run.state == (target if target in TRANSITIONS[source] else source)


@pytest.mark.parametrize("source", LEASED)
@pytest.mark.parametrize("token", ["none", "foreign"])
def test_a_leased_run_moves_for_its_holder_only(source, token):
    run, _ = run_in(source)
    for target in TRANSITIONS[source]:
        assert not move(run_id=run.id, to=target, token=None if token == "none" else uuid.uuid4())
    run.refresh_from_db()
    assert run.state == source


def test_final_states_are_final():
    assert all(not TRANSITIONS[state] for state in FINAL)
