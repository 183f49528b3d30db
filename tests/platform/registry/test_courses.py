"""What happens to a model after its registration: versions, restarts, aliases, the end of a binding, rollback."""

import pytest

from registry import courses, errors, selectors, services
from registry.models import AliasMove, Checkpoint, FoundationModel, Lineage, Snapshot, VerticalModel
from runs.selectors import has_open_run
from runs.units import arms_of
from tenancy.errors import DomainError
from tenancy.models import Tenant
from tenancy.scope import platform_scope
from tests.kit import domain

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _scope(db: None):
    with platform_scope("test"):
        yield


@pytest.fixture
def tenant() -> Tenant:
    return domain.make_tenant()


@pytest.fixture
def paused(tenant: Tenant) -> tuple[VerticalModel, list[Checkpoint]]:
    return domain.make_paused_model(tenant)


def serving(model: VerticalModel) -> object:
    move = selectors.aliases(model_id=model.id).get("serving")
    return move["checkpoint_id"] if move else None


def test_a_version_starts_lineages_of_its_own(paused: tuple[VerticalModel, list[Checkpoint]]) -> None:
    model, _ = paused
    before = arms_of(model.id)
    wider = domain.vertical_spec(mlp=(32,)).to_json()
    version = courses.add_version(model_id=model.id, spec=wider, train_from=domain.hour(3), open_run=has_open_run)
    assert version.number == 2
    after = arms_of(model.id)
    assert set(after) == {"control", "treatment"}
    assert all(lineage.model_version_id == version.id and lineage.head_id is None for lineage in after.values())
    assert not {lineage.id for lineage in before.values()} & {lineage.id for lineage in after.values()}
    ended = Lineage.objects.filter(id__in=[lineage.id for lineage in before.values()])
    assert {lineage.state for lineage in ended} == {Lineage.State.ENDED}
    model.refresh_from_db()
    assert model.train_from == domain.hour(3)


def test_a_version_without_a_teacher_has_no_treatment(paused: tuple[VerticalModel, list[Checkpoint]]) -> None:
    model, _ = paused
    alone = domain.vertical_spec("none").to_json()
    courses.add_version(model_id=model.id, spec=alone, train_from=None, open_run=has_open_run)
    assert set(arms_of(model.id)) == {"control"}


def test_the_same_spec_is_no_version(paused: tuple[VerticalModel, list[Checkpoint]]) -> None:
    model, _ = paused
    with pytest.raises(DomainError, match="has this very spec"):
        courses.add_version(
            model_id=model.id, spec=domain.vertical_spec().to_json(), train_from=None, open_run=has_open_run
        )


@pytest.mark.parametrize("state", ["queued", "running", "stopping"])
def test_nothing_changes_under_a_run(
    state: str, paused: tuple[VerticalModel, list[Checkpoint]], tenant: Tenant
) -> None:
    model, checkpoints = paused
    domain.make_run(tenant, model, state=state)
    with pytest.raises(DomainError, match="a run of it is open"):
        courses.restart(model_id=model.id, checkpoint_id=checkpoints[0].id, open_run=has_open_run)
    assert Lineage.objects.filter(model_version__model=model).count() == 2


def test_an_active_model_is_not_restarted(paused: tuple[VerticalModel, list[Checkpoint]]) -> None:
    model, checkpoints = paused
    services.resume(model_id=model.id)
    with pytest.raises(DomainError, match="is active"):
        courses.restart(model_id=model.id, checkpoint_id=checkpoints[0].id, open_run=has_open_run)


def test_a_restart_goes_on_from_the_checkpoint_for_every_arm_that_stood_there(
    paused: tuple[VerticalModel, list[Checkpoint]],
) -> None:
    model, checkpoints = paused
    beside = domain.make_checkpoint(domain.lineage(model, "control"), 0)
    courses.restart(model_id=model.id, checkpoint_id=checkpoints[0].id, open_run=has_open_run)
    arms = arms_of(model.id)
    assert arms["treatment"].parent_checkpoint_id == checkpoints[0].id
    assert arms["control"].parent_checkpoint_id == beside.id
    assert arms["treatment"].head_id is None


def test_a_checkpoint_of_another_model_is_unknown(
    paused: tuple[VerticalModel, list[Checkpoint]], tenant: Tenant
) -> None:
    model, _ = paused
    _, foreign = domain.make_paused_model(tenant)
    for act in (
        lambda: courses.restart(model_id=model.id, checkpoint_id=foreign[0].id, open_run=has_open_run),
        lambda: courses.move_alias(model_id=model.id, alias="serving", checkpoint_id=foreign[0].id),
    ):
        with pytest.raises(DomainError, match="no such checkpoint"):
            act()


def test_a_checkpoint_of_an_earlier_version_is_refused(paused: tuple[VerticalModel, list[Checkpoint]]) -> None:
    model, checkpoints = paused
    wider = domain.vertical_spec(mlp=(32,)).to_json()
    courses.add_version(model_id=model.id, spec=wider, train_from=None, open_run=has_open_run)
    with pytest.raises(DomainError, match="an earlier version"):
        courses.restart(model_id=model.id, checkpoint_id=checkpoints[0].id, open_run=has_open_run)


def test_rollback_goes_back_step_by_step_and_never_forward(paused: tuple[VerticalModel, list[Checkpoint]]) -> None:
    model, (first, second) = paused
    third = domain.make_checkpoint(domain.lineage(model, "treatment"), 2)
    courses.move_alias(model_id=model.id, alias="serving", checkpoint_id=third.id)
    courses.roll_back_alias(model_id=model.id, alias="serving")
    assert serving(model) == second.id
    courses.roll_back_alias(model_id=model.id, alias="serving")
    assert serving(model) == first.id
    with pytest.raises(DomainError, match="nothing to go back to"):
        courses.roll_back_alias(model_id=model.id, alias="serving")
    courses.move_alias(model_id=model.id, alias="serving", checkpoint_id=third.id)
    courses.roll_back_alias(model_id=model.id, alias="serving")
    assert serving(model) == first.id
    moves = list(AliasMove.objects.filter(model=model).order_by("number"))
    assert [move.number for move in moves] == [1, 2, 3, 4, 5, 6, 7]
    assert [move.back_to for move in moves] == [None, None, None, 2, 1, None, 1]


def test_pointing_where_it_points_is_no_move(paused: tuple[VerticalModel, list[Checkpoint]]) -> None:
    model, (_, second) = paused
    courses.move_alias(model_id=model.id, alias="serving", checkpoint_id=second.id)
    assert AliasMove.objects.filter(model=model).count() == 2
    courses.move_alias(model_id=model.id, alias="serving", checkpoint_id=None)
    assert serving(model) is None
    courses.move_alias(model_id=model.id, alias="serving", checkpoint_id=None)
    assert AliasMove.objects.filter(model=model).count() == 3


def test_a_model_may_lose_its_teacher(tenant: Tenant) -> None:
    teacher = domain.make_foundation_model()
    model = domain.make_model(domain.make_stream(tenant), teacher)
    courses.end_binding(model_id=model.id)
    assert selectors.open_binding(model_id=model.id) is None
    with pytest.raises(DomainError, match="No foundation model teaches"):
        courses.end_binding(model_id=model.id)
    again = services.bind_model(model=model, foundation_model=teacher)
    assert again.number == 2


class TestSnapshotRollback:
    @pytest.fixture
    def teacher(self) -> FoundationModel:
        made: FoundationModel = domain.make_foundation_model()
        return made

    def test_a_withdrawn_snapshot_labels_nothing_more(self, teacher: FoundationModel) -> None:
        first, second = (domain.publish(teacher, domain.hour(number)) for number in (1, 2))
        assert selectors.newest_published(foundation_model_id=teacher.id, at_or_before=domain.hour(9)) == second
        services.roll_back(foundation_model=teacher, reason="calibration drifted")
        assert selectors.newest_published(foundation_model_id=teacher.id, at_or_before=domain.hour(9)) == first
        teacher.refresh_from_db()
        second.refresh_from_db()
        assert teacher.published_id == first.id
        assert (second.state, second.withdrawn_at is not None) == (Snapshot.State.RETIRED, True)

    def test_the_next_candidate_is_published_over_it(self, teacher: FoundationModel) -> None:
        for number in (1, 2):
            domain.publish(teacher, domain.hour(number))
        services.roll_back(foundation_model=teacher, reason="r")
        third = domain.publish(teacher, domain.hour(3))
        assert selectors.newest_published(foundation_model_id=teacher.id, at_or_before=domain.hour(9)) == third

    def test_going_back_twice_goes_further_back_and_then_ends(self, teacher: FoundationModel) -> None:
        first, *_ = (domain.publish(teacher, domain.hour(number)) for number in (1, 2, 3))
        services.roll_back(foundation_model=teacher, reason="r")
        services.roll_back(foundation_model=teacher, reason="r")
        teacher.refresh_from_db()
        assert teacher.published_id == first.id
        with pytest.raises(DomainError, match=errors.nothing_to_roll_back().message):
            services.roll_back(foundation_model=teacher, reason="r")
