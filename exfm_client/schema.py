"""What the API sends and takes. Generated from docs/openapi.yaml by `make openapi`; not to be edited."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class AcceptRequest(TypedDict):
    """Accepting; name and password make a new account where the address has none."""

    token: str
    name: NotRequired[str]
    password: NotRequired[str]


class Account(TypedDict):
    """How the caller signs in."""

    email: str
    name: str
    second_factor: bool
    second_factor_shown: bool
    recovery_codes_left: int
    identities: list[str]


class AdminAuditEntry(TypedDict):
    """The same, with the tenant; null = the platform's own."""

    id: str
    created_at: str
    actor: str
    token_prefix: str
    action: str
    target_type: str
    target_id: str
    before: Any
    after: Any
    reason: str
    request_id: str
    tenant: NotRequired[str | None]


class AdminInsights(TypedDict):
    """All tenants at once."""

    pooled: Lift
    tenants: list[ModelInsight]
    fm: FmBalance
    currency: str


class AdminUser(TypedDict):
    """An account."""

    id: str
    email: str
    name: str
    is_active: bool
    is_staff: bool
    last_login: str | None
    created_at: str


class Alias(TypedDict):
    """A move of an alias; in a list of aliases, the one in force."""

    alias: AliasEnum
    number: int
    checkpoint: Checkpoint | None
    back_to: int | None
    moved_by: str
    moved_at: str
    note: str


AliasEnum: TypeAlias = 'Literal["serving", "candidate"]'


class Allocation(TypedDict):
    """A period's share of the foundation model's cost, and what it is computed from."""

    foundation_model: str
    period_start: str
    period_end: str
    rows: int
    rows_total: int
    total: str
    amount: str
    closed: bool


ArmEnum: TypeAlias = 'Literal["control", "treatment", "fm"]'


class Arms(TypedDict):
    """A figure of both arms."""

    control: float | None
    treatment: float | None


class Attention(TypedDict):
    """Something that needs a hand."""

    code: str
    message: str
    mend: str
    link: str


class AuditEntry(TypedDict):
    """One change: who, what, before and after."""

    id: str
    created_at: str
    actor: str
    token_prefix: str
    action: str
    target_type: str
    target_id: str
    before: Any
    after: Any
    reason: str
    request_id: str


class Binding(TypedDict):
    """Which foundation model teaches a model, and since when."""

    number: int
    foundation_model: dict[str, str]
    created_at: str
    ended_at: str | None


BlankEnum: TypeAlias = 'Literal[""]'


class Budget(TypedDict):
    """A tenant's budget of the running period."""

    period_start: str
    period_end: str
    amount: str
    spent: str
    reserved: str
    action: BudgetActionEnum
    act_percent: int


BudgetActionEnum: TypeAlias = 'Literal["warn", "hold", "stop"]'


class BudgetStanding(TypedDict):
    """The running period's budget, how far it is spent, and what it does beside its limit."""

    amount: str
    spent: str
    reserved: str
    forecast: str
    action: BudgetActionEnum
    act_percent: int
    acts_at: str
    acts: bool


class Capacity(TypedDict):
    """Capacity and queue of the whole platform."""

    slots: Slots
    workers: list[Worker]
    held: list[PlacedRun]
    queued: list[PlacedRun]


class CardSection(TypedDict):
    """A heading of a model card and its lines."""

    title: str
    lines: list[str]


class CardText(TypedDict):
    """A model card."""

    title: str
    sections: list[CardSection]
    markdown: str


class CatalogueFeature(TypedDict):
    """A feature of the foundation model; a stream's feature feeds it by naming it as its `catalogue`."""

    name: str
    kind: str
    buckets: int
    hashed: bool
    max_length: int


CauseEnum: TypeAlias = 'Literal["event", "test", "replay"]'


class Checkpoint(TypedDict):
    """What an arm had learned at one moment of its stream."""

    id: str
    version: int
    lineage: str
    arm: ArmEnum
    position: str
    sha256: str
    bytes: int
    created_at: str


class CodeRequest(TypedDict):
    """A code of the authenticator app, or a recovery code."""

    code: str


ColumnRoleEnum: TypeAlias = 'Literal["event time", "user key", "label", "categorical", "sequence", "dense", "left out"]'


class Consumer(TypedDict):
    """A model's step that consumed a partition."""

    model: ModelLink
    checkpoint: str


class Costs(TypedDict):
    """What a tenant paid for in the running period, by line; and by model since registration."""

    currency: str
    period: Period
    budget: BudgetStanding
    total: str
    kinds: list[LineTotal]
    models: list[ModelCost]
    rest: RestCost
    fm: FmCosts


class Course(TypedDict):
    """A course of training: version, arm, what it started from, what it read, who taught it."""

    id: str
    version: int
    arm: ArmEnum
    state: LineageStateEnum
    seed: int
    parent_checkpoint: str | None
    head: str | None
    partitions: int
    rows: int
    start: str | None
    end: str | None
    snapshots: list[TaughtBy]


class CoveredLift(TypedDict):
    """Lift over the rows that carried a label of the foundation model."""

    value: float | None
    low: float | None
    high: float | None
    rows: int


class Cumulative(TypedDict):
    """From the first partition up to this one."""

    ne_control: float | None
    ne_treatment: float | None
    lift: float | None
    low: float | None
    high: float | None


class Curve(TypedDict):
    """A model's course in event time."""

    partitions: list[CurvePoint]


class CurvePoint(TypedDict):
    """One partition on a model's curve."""

    start: str
    end: str
    rows: int
    covered: int
    ne_control: float | None
    ne_treatment: float | None
    lift: float | None
    low: float | None
    high: float | None
    auc_control: float | None
    auc_treatment: float | None
    gate: GateEnum | NullEnum
    snapshot: str | None
    freshness_seconds: float | None
    cumulative: Cumulative


class Deletion(TypedDict):
    """A tenant's end under way."""

    requested_by: NotRequired[str | None]
    requested_at: str
    erase_after: str
    reason: str


class DeletionRequestRequest(TypedDict):
    """The wish; `confirm` is the tenant's slug."""

    confirm: str
    reason: NotRequired[str]


class DeletionState(TypedDict):
    """The open wish, or null."""

    deletion: Deletion | None


class Delivery(TypedDict):
    """One event on its way to one webhook."""

    id: str
    event: str
    event_type: EventTypeEnum
    cause: CauseEnum
    state: DeliveryStateEnum
    attempts: int
    next_attempt_at: str | None
    finished_at: str | None
    last_code: str | None
    last_status: int | None
    created_at: str


class DeliveryAttempt(TypedDict):
    """One try. A number that is missing belongs to a worker that died before it could write."""

    number: int
    started_at: str
    milliseconds: int
    status: int | None
    code: str
    detail: str
    response: str


class DeliveryDetail(TypedDict):
    """A delivery with what was sent and every attempt."""

    id: str
    event: str
    event_type: EventTypeEnum
    cause: CauseEnum
    state: DeliveryStateEnum
    attempts: int
    next_attempt_at: str | None
    finished_at: str | None
    last_code: str | None
    last_status: int | None
    created_at: str
    data: dict[str, Any]
    log: list[DeliveryAttempt]


DeliveryStateEnum: TypeAlias = 'Literal["pending", "delivered", "failed", "dropped"]'


class DeviceProfile(TypedDict):
    """A measured device."""

    flavor: str
    profile: dict[str, Any]
    updated_at: str


EventTypeEnum: TypeAlias = 'Literal["run.succeeded", "run.failed", "run.cancelled", "partition.sealed", "partition.rejected", "snapshot.published", "budget.threshold", "export.finished", "webhook.test"]'


class ExportError(TypedDict):
    """Why there is no file."""

    message: str
    mend: str


class ExportRequestRequest(TypedDict):
    """What the file shall hold beside the rows, which are always in it."""

    include: NotRequired[list[IncludeEnum]]


class FactorSetup(TypedDict):
    """What the app needs: scan `picture` (SVG), or type `secret`."""

    secret: str
    address: str
    picture: str


FaultEnum: TypeAlias = 'Literal["user", "platform", "capacity", "cancelled"]'


class FieldError(TypedDict):
    """One refused field."""

    field: str
    code: str
    message: str


class FmBalance(TypedDict):
    """What foundation models cost, and who bears it."""

    training: str
    scoring: str
    allocated: str
    unallocated: str


class FmCosts(TypedDict):
    """The share of the foundation models' cost."""

    share: str
    allocations: list[Allocation]
    how: str


FormatEnum: TypeAlias = 'Literal["parquet", "csv", "json lines"]'


class Foundation(TypedDict):
    """The shared teacher as a tenant sees it."""

    id: str | None
    name: str | None
    catalogue: list[CatalogueFeature]
    task_kinds: list[str]
    bound: bool
    snapshot: SnapshotLink | None
    snapshots: list[Snapshot]
    cost_share: str


class FoundationModel(TypedDict):
    """A foundation model."""

    id: str
    name: str
    period_seconds: int
    gate: dict[str, Any]
    is_active: bool
    published: str | None
    created_at: str


class FoundationModelDetail(TypedDict):
    """A foundation model with its snapshots, oldest first, and its cost."""

    id: str
    name: str
    period_seconds: int
    gate: dict[str, Any]
    is_active: bool
    published: str | None
    created_at: str
    spec: dict[str, Any]
    version: int
    slots: dict[str, int]
    snapshots: list[Snapshot]
    cost: FmBalance


class Gate(TypedDict):
    """What the publication gate decided, and on what."""

    decision: str
    reason: str
    heads: list[GateHead]


GateEnum: TypeAlias = 'Literal["open", "shut"]'


class GateHead(TypedDict):
    """The gate's comparison on held-back users for one task."""

    tenant: str | None
    task: str
    n: int
    ne_candidate: float | None
    ne_current: float | None
    calibration: float | None


class IdentityDomain(TypedDict):
    """A domain; its people join `tenant` in `role` when they first come, or no tenant where it is null."""

    domain: str
    tenant: NotRequired[str | None]
    role: RoleEnum


class IdentityDomainCreateRequest(TypedDict):
    """A domain that the provider's operator controls."""

    domain: str
    tenant: NotRequired[str | None]
    role: NotRequired[RoleEnum]
    reason: str


class IdentityProvider(TypedDict):
    """An OpenID Connect provider, without its secret. Register `redirect_uri` there."""

    slug: str
    name: str
    issuer: str
    client_id: str
    is_active: bool
    trusts_second_factor: bool
    second_factor_acr: str
    redirect_uri: str
    domains: list[IdentityDomain]


class IdentityProviderChangeRequest(TypedDict):
    """What may change; another issuer is another provider."""

    name: NotRequired[str]
    client_id: NotRequired[str]
    client_secret: NotRequired[str]
    is_active: NotRequired[bool]
    trusts_second_factor: NotRequired[bool]
    second_factor_acr: NotRequired[str]
    reason: str


class IdentityProviderCreateRequest(TypedDict):
    """A provider to trust. `issuer` exactly as its discovery document says it; no secret = a public client."""

    slug: str
    name: str
    issuer: str
    client_id: str
    client_secret: NotRequired[str]
    trusts_second_factor: NotRequired[bool]
    second_factor_acr: NotRequired[str]
    reason: str


class ImportRequest(TypedDict):
    """A file to import."""

    uri: str
    start: str
    end: str
    sha256: str
    bytes: int


class ImportRoots(TypedDict):
    """Where files may be imported from."""

    roots: list[str]


class Imported(TypedDict):
    """The partitions, in the order of the files."""

    results: list[Partition]


class ImportsRequest(TypedDict):
    """Files to import, all or none."""

    partitions: list[ImportRequest]


class InUse(TypedDict):
    """`in_use`: something still refers to what was to be deleted."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    mend: str
    request_id: str
    field: NotRequired[str]
    errors: NotRequired[list[FieldError]]
    uses: list[Use]
    uses_count: int


IncludeEnum: TypeAlias = 'Literal["rows", "partitions", "models"]'


class Invitation(TypedDict):
    """An invitation, without its link."""

    id: str
    email: str
    role: RoleEnum
    state: InvitationStateEnum
    invited_by: str
    created_at: str
    expires_at: str


class InvitationCreateRequest(TypedDict):
    """Whom to invite, in which role, for how many days."""

    email: str
    role: RoleEnum
    days: NotRequired[int]


class InvitationCreated(TypedDict):
    """An invitation just made: the only answer that holds `link`. `emailed`: a letter goes out, too."""

    id: str
    email: str
    role: RoleEnum
    state: InvitationStateEnum
    invited_by: str
    created_at: str
    expires_at: str
    link: str | None
    emailed: bool


InvitationStateEnum: TypeAlias = 'Literal["open", "accepted", "revoked", "expired"]'


class LabelSet(TypedDict):
    """The foundation model's labels of one partition."""

    id: str
    partition: str
    snapshot: str
    watermark: str
    tasks: list[str]
    rows: int
    sha256: str
    created_at: str


class Latency(TypedDict):
    """Estimated latency of the exported graph on a flavor; an estimate t with error e means t ÷ e to t · e."""

    flavor: str
    device: str
    batch: int
    p50_us: float
    p50_error: float
    p99_us: float
    p99_error: float


class LatencyBudget(TypedDict):
    """Estimated p99 of one row on the flavor that models serve on, against the limit; both in microseconds."""

    flavor: str
    limit_us: int | None
    p99_us: float | None
    p99_error: float | None
    verdict: VerdictEnum
    shares: dict[str, float]


class Ledger(TypedDict):
    """One line of the append-only ledger."""

    id: str
    created_at: str
    kind: LedgerKindEnum
    line: NotRequired[LineEnum | BlankEnum]
    amount: str
    run: str | None
    model: NotRequired[str | None]
    note: str


LedgerKindEnum: TypeAlias = 'Literal["reserve", "settle", "release", "allocate", "correct"]'


class Lift(TypedDict):
    """NE gain over the control in percent, with its 95 % bootstrap interval."""

    value: float | None
    low: float | None
    high: float | None
    rows: int
    users: int
    covered: CoveredLift
    reason: str
    as_of: str | None


LineEnum: TypeAlias = 'Literal["training", "measurement", "fm_training", "fm_scoring", "fm_share", "lost"]'


class LineTotal(TypedDict):
    """Money of one ledger line."""

    kind: str
    amount: str


class Lineage(TypedDict):
    """A course of training."""

    arm: ArmEnum
    state: LineageStateEnum
    partitions: int


LineageStateEnum: TypeAlias = 'Literal["active", "ended", "abandoned"]'


class LinkRequest(TypedDict):
    """What stands after the `#` of the link."""

    token: str


class Me(TypedDict):
    """Who is signed in, where they belong, and where administrators go."""

    user: MeUser
    memberships: list[MeMembership]
    admin_origin: str
    currency: str


class MeMembership(TypedDict):
    """The user's role in a tenant, and what it allows."""

    tenant: MeTenant
    role: RoleEnum
    permissions: list[str]
    second_factor_required: bool


class MeTenant(TypedDict):
    """A tenant the user belongs to."""

    id: str
    slug: str
    name: str
    status: TenantStatusEnum


class MeUser(TypedDict):
    """The signed-in user."""

    id: str
    email: str
    name: str
    is_platform_admin: bool


class Member(TypedDict):
    """A member."""

    id: str
    email: str
    name: str
    role: RoleEnum
    is_service: bool
    second_factor: bool | None
    created_at: str


class MemberChangeRequest(TypedDict):
    """What may be changed of a member."""

    role: RoleEnum


class Model(TypedDict):
    """A model in full."""

    id: str
    name: str
    task: str
    status: ModelStatusEnum
    stream: StreamLink
    lift: Lift
    ne: Arms
    auc: Arms
    coverage: float | None
    cost: str
    measurement_cost: str
    fm_share: str
    cost_per_point: str | None
    freshness_seconds: float | None
    spark: list[SparkPoint]
    updated_at: str
    spec: dict[str, Any]
    version: int
    foundation_model: str | None
    train_from: str | None
    serving: Serving
    lineages: list[Lineage]
    supervision: Teaching


class ModelCard(TypedDict):
    """A model at a glance."""

    id: str
    name: str
    task: str
    status: ModelStatusEnum
    stream: StreamLink
    lift: Lift
    ne: Arms
    auc: Arms
    coverage: float | None
    cost: str
    measurement_cost: str
    fm_share: str
    cost_per_point: str | None
    freshness_seconds: float | None
    spark: list[SparkPoint]
    updated_at: str


class ModelCost(TypedDict):
    """Money of one model since its registration."""

    id: str
    name: str
    training: str
    measurement: str
    fm_share: str
    total: str


class ModelInsight(TypedDict):
    """One model of one tenant, for administrators."""

    tenant: str
    model: str
    model_id: str
    task: str
    ne_control: float | None
    ne_treatment: float | None
    lift: Lift
    auc_control: float | None
    auc_treatment: float | None
    coverage: float | None
    cost: str
    measurement_cost: str
    fm_share: str


class ModelLineage(TypedDict):
    """Where a model comes from."""

    model: str
    stream: str
    courses: list[Course]


class ModelLink(TypedDict):
    """A model by id, name and version."""

    id: str
    name: str
    version: int
    arm: ArmEnum


ModelStatusEnum: TypeAlias = 'Literal["active", "paused"]'


class Named(TypedDict):
    """A model by id and name."""

    id: str
    name: str


class NewAliasRequest(TypedDict):
    """Where an alias is to point."""

    checkpoint: str
    note: NotRequired[str]


class NewBindingRequest(TypedDict):
    """The teacher from the next partition on."""

    foundation_model: str


class NewBudgetRequest(TypedDict):
    """A budget to set, and why. What is left out stays; a first budget stops runs at 100 percent."""

    action: NotRequired[BudgetActionEnum]
    act_percent: NotRequired[int]
    amount: str
    reason: str


class NewCheckRequest(TypedDict):
    """A spec to check."""

    stream: str
    spec: dict[str, Any]


class NewDeviceProfileRequest(TypedDict):
    """A measured device, and why it is registered."""

    profile: dict[str, Any]
    reason: str


class NewFoundationModelRequest(TypedDict):
    """A foundation model to register."""

    name: str
    spec: dict[str, Any]
    period_seconds: int
    gate: NotRequired[dict[str, Any]]


class NewModelRequest(TypedDict):
    """A model to register."""

    name: str
    stream: str
    spec: dict[str, Any]
    foundation_model: NotRequired[str | None]
    train_from: NotRequired[str | None]


class NewQuotaRequest(TypedDict):
    """Limits to change, and why; those left out stay."""

    concurrent_runs: NotRequired[int]
    models_limit: NotRequired[int]
    storage_bytes: NotRequired[int]
    serving_parameters: NotRequired[int]
    serving_flops: NotRequired[int]
    serving_latency_us: NotRequired[int | None]
    reason: str


class NewRestartRequest(TypedDict):
    """Where to go back to."""

    checkpoint: str


class NewSlotRequest(TypedDict):
    """A tenant to bind to a foundation model."""

    tenant: str


class NewStreamRequest(TypedDict):
    """A stream to register."""

    label_deadline_seconds: NotRequired[int]
    feed_fm: NotRequired[bool]
    feed_shared: NotRequired[bool]
    name: str
    schema: dict[str, Any]


class NewVersionRequest(TypedDict):
    """The next version of a model."""

    spec: dict[str, Any]
    train_from: NotRequired[str | None]


class NewWebhookRequest(TypedDict):
    """A webhook to make."""

    url: str
    description: NotRequired[str]
    event_types: list[SubscribableEnum]
    enabled: NotRequired[bool]


class NoteRequest(TypedDict):
    """Why."""

    note: NotRequired[str]


NullEnum: TypeAlias = "None"


class Offer(TypedDict):
    """What a link offers; `has_account`: sign in first, a password is not needed."""

    tenant: str
    email: str
    role: RoleEnum
    expires_at: str
    has_account: bool


class OpeningBudgetRequest(TypedDict):
    """What the tenant may spend per month."""

    action: NotRequired[BudgetActionEnum]
    act_percent: NotRequired[int]
    amount: str
    reason: NotRequired[str]


class OpeningQuotaRequest(TypedDict):
    """Limits that are not money; those left out keep their defaults."""

    concurrent_runs: NotRequired[int]
    models_limit: NotRequired[int]
    storage_bytes: NotRequired[int]
    serving_parameters: NotRequired[int]
    serving_flops: NotRequired[int]
    serving_latency_us: NotRequired[int | None]


class Overview(TypedDict):
    """A tenant's first page."""

    tenant: TenantLink
    period: Period
    spend: Spend
    quota: QuotaUse
    models: list[ModelCard]
    runs: list[RunCard]
    attention: list[Attention]
    foundation: Foundation


class OwnerRequest(TypedDict):
    """The first owner. `password` makes a new user; leave it out for an existing one."""

    email: str
    name: NotRequired[str]
    password: NotRequired[str]


class PaginatedAdminAuditEntryList(TypedDict):
    """PaginatedAdminAuditEntryList"""

    results: list[AdminAuditEntry]
    next: str | None
    previous: str | None


class PaginatedAdminUserList(TypedDict):
    """PaginatedAdminUserList"""

    results: list[AdminUser]
    next: str | None
    previous: str | None


class PaginatedAliasList(TypedDict):
    """PaginatedAliasList"""

    results: list[Alias]
    next: str | None
    previous: str | None


class PaginatedAuditEntryList(TypedDict):
    """PaginatedAuditEntryList"""

    results: list[AuditEntry]
    next: str | None
    previous: str | None


class PaginatedBindingList(TypedDict):
    """PaginatedBindingList"""

    results: list[Binding]
    next: str | None
    previous: str | None


class PaginatedCheckpointList(TypedDict):
    """PaginatedCheckpointList"""

    results: list[Checkpoint]
    next: str | None
    previous: str | None


class PaginatedConsumerList(TypedDict):
    """PaginatedConsumerList"""

    results: list[Consumer]
    next: str | None
    previous: str | None


class PaginatedDeliveryList(TypedDict):
    """PaginatedDeliveryList"""

    results: list[Delivery]
    next: str | None
    previous: str | None


class PaginatedFoundationModelList(TypedDict):
    """PaginatedFoundationModelList"""

    results: list[FoundationModel]
    next: str | None
    previous: str | None


class PaginatedIdentityProviderList(TypedDict):
    """PaginatedIdentityProviderList"""

    results: list[IdentityProvider]
    next: str | None
    previous: str | None


class PaginatedInvitationList(TypedDict):
    """PaginatedInvitationList"""

    results: list[Invitation]
    next: str | None
    previous: str | None


class PaginatedLabelSetList(TypedDict):
    """PaginatedLabelSetList"""

    results: list[LabelSet]
    next: str | None
    previous: str | None


class PaginatedLedgerList(TypedDict):
    """PaginatedLedgerList"""

    results: list[Ledger]
    next: str | None
    previous: str | None


class PaginatedMemberList(TypedDict):
    """PaginatedMemberList"""

    results: list[Member]
    next: str | None
    previous: str | None


class PaginatedModelCardList(TypedDict):
    """PaginatedModelCardList"""

    results: list[ModelCard]
    next: str | None
    previous: str | None


class PaginatedModelCostList(TypedDict):
    """PaginatedModelCostList"""

    results: list[ModelCost]
    next: str | None
    previous: str | None


class PaginatedModelLinkList(TypedDict):
    """PaginatedModelLinkList"""

    results: list[ModelLink]
    next: str | None
    previous: str | None


class PaginatedPartitionList(TypedDict):
    """PaginatedPartitionList"""

    results: list[Partition]
    next: str | None
    previous: str | None


class PaginatedRunCardList(TypedDict):
    """PaginatedRunCardList"""

    results: list[RunCard]
    next: str | None
    previous: str | None


class PaginatedServiceAccountList(TypedDict):
    """PaginatedServiceAccountList"""

    results: list[ServiceAccount]
    next: str | None
    previous: str | None


class PaginatedStreamList(TypedDict):
    """PaginatedStreamList"""

    results: list[Stream]
    next: str | None
    previous: str | None


class PaginatedTenantExportList(TypedDict):
    """PaginatedTenantExportList"""

    results: list[TenantExport]
    next: str | None
    previous: str | None


class PaginatedTenantList(TypedDict):
    """PaginatedTenantList"""

    results: list[Tenant]
    next: str | None
    previous: str | None


class PaginatedTokenList(TypedDict):
    """PaginatedTokenList"""

    results: list[Token]
    next: str | None
    previous: str | None


class PaginatedVersionList(TypedDict):
    """PaginatedVersionList"""

    results: list[Version]
    next: str | None
    previous: str | None


class PaginatedWebhookList(TypedDict):
    """PaginatedWebhookList"""

    results: list[Webhook]
    next: str | None
    previous: str | None


class Partition(TypedDict):
    """A partition and, if it was rejected, why."""

    id: str
    start: str
    end: str
    state: NotRequired[PartitionStateEnum]
    rows: NotRequired[int | None]
    positives: dict[str, int]
    sha256: str
    bytes: int
    source_uri: NotRequired[str]
    problems: list[PartitionProblem]
    label_sets: int
    trained: int


class PartitionProblem(TypedDict):
    """One thing that is wrong with an uploaded file."""

    column: str | None
    row: int | None
    expected: str | None
    found: str | None
    message: str


PartitionStateEnum: TypeAlias = 'Literal["uploaded", "sealed", "rejected"]'


class PartitionUses(TypedDict):
    """What was made of a partition, newest first."""

    label_sets: list[LabelSet]
    consumed_by: list[Consumer]
    all_consumed_by: str | None


class PasswordChangeRequest(TypedDict):
    """A new password, and proof that it is you."""

    current: str
    password: str


class PasswordResetRequest(TypedDict):
    """A new password by a link that an administrator made."""

    token: str
    password: str


class Period(TypedDict):
    """A budget period, UTC."""

    start: str
    end: str


class PlacedRun(TypedDict):
    """A run that holds or waits for a slot."""

    id: str
    tenant: str | None
    kind: RunKindEnum
    name: str
    state: RunStateEnum
    reason: RunReason | None
    position: int | None


class Problem(TypedDict):
    """An error: what is wrong and how to mend it."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    mend: str
    request_id: str
    field: NotRequired[str]
    errors: NotRequired[list[FieldError]]


class Proposal(TypedDict):
    """A first schema for a sample of rows: to be read and changed, then registered."""

    format: FormatEnum
    rows: int
    whole: bool
    schema: dict[str, Any] | None
    columns: list[ProposedColumn]
    warnings: list[str]


class ProposedColumn(TypedDict):
    """What a column of a sample would become, and why."""

    name: str
    type: str
    role: ColumnRoleEnum
    reason: str
    distinct: int | None
    nulls: int


class Provider(TypedDict):
    """A way to sign in: send the browser to `start`."""

    slug: str
    name: str
    start: str


class Quota(TypedDict):
    """A tenant's limits that are not money."""

    concurrent_runs: NotRequired[int]
    models_limit: NotRequired[int]
    storage_bytes: NotRequired[int]
    serving_parameters: NotRequired[int]
    serving_flops: NotRequired[int]
    serving_latency_us: NotRequired[int | None]


class QuotaUse(TypedDict):
    """Quotas and their use."""

    concurrent_runs: Used
    models: Used
    storage_bytes: Used


class ReasonRequest(TypedDict):
    """Why; it stands in the audit log."""

    reason: str


class RecoveryCodes(TypedDict):
    """Ten codes, each good once in place of the app's; shown this one time."""

    codes: list[str]


class ResetLink(TypedDict):
    """A link that sets a new password once; shown this one time, and null in the answer to a repeated request."""

    link: str | None
    expires_at: str


class RestCost(TypedDict):
    """Money of the models that are not named."""

    models: int
    training: str
    measurement: str
    fm_share: str
    total: str


RoleEnum: TypeAlias = 'Literal["owner", "engineer", "viewer", "billing"]'


class RollbackRequest(TypedDict):
    """Why; kept in the audit log."""

    reason: str


class Run(TypedDict):
    """A run in full."""

    id: str
    kind: RunKindEnum
    state: RunStateEnum
    reason: RunReason | None
    model: Named | None
    foundation_model: Named | None
    position: int | None
    holders: list[str]
    created_at: str
    started_at: str | None
    finished_at: str | None
    stop_requested_at: str | None
    progress: RunProgress | None
    cost: RunCost
    attempts: list[RunAttempt]
    partitions: list[RunPartition]
    log: list[str]


class RunAttempt(TypedDict):
    """One try."""

    n: int
    state: RunAttemptStateEnum
    started_at: str
    finished_at: str | None
    fault: FaultEnum | BlankEnum
    code: str
    message: str
    mend: str
    exit: int | None


RunAttemptStateEnum: TypeAlias = 'Literal["active", "done", "failed", "lost"]'


class RunCard(TypedDict):
    """A run in a list."""

    id: str
    kind: RunKindEnum
    state: RunStateEnum
    reason: RunReason | None
    model: Named | None
    foundation_model: Named | None
    position: int | None
    holders: list[str]
    created_at: str
    started_at: str | None
    finished_at: str | None
    stop_requested_at: str | None
    progress: RunProgress | None
    cost: RunCost


class RunCost(TypedDict):
    """Money as text."""

    spent: str
    measurement: str
    reserved: str
    currency: str


RunKindEnum: TypeAlias = 'Literal["vm.train", "das.score", "fm.train"]'


class RunPartition(TypedDict):
    """One unit of the run."""

    id: str
    start: str | None
    end: str | None
    state: RunPartitionStateEnum
    rows: int | None
    covered: int | None
    gate: RunPartitionGateEnum
    label_reason: str
    ne_control: float | None
    ne_treatment: float | None


RunPartitionGateEnum: TypeAlias = 'Literal["open", "shut"]'

RunPartitionStateEnum: TypeAlias = 'Literal["claimed", "done"]'


class RunProgress(TypedDict):
    """Live figures of the unit in work, for display only."""

    partition: str | None
    start: str | None
    rows: int
    rows_total: int
    rows_per_s: float | None
    done: int
    planned: int
    eta_seconds: float | None
    metrics: dict[str, float]


class RunReason(TypedDict):
    """Why the run is where it is."""

    code: str
    message: str


RunStateEnum: TypeAlias = (
    'Literal["queued", "admitted", "starting", "running", "stopping", "succeeded", "failed", "cancelled"]'
)


class ServiceAccount(TypedDict):
    """A service account."""

    id: str
    name: str
    role: RoleEnum
    created_at: str


class ServiceAccountCreateRequest(TypedDict):
    """Its name, and the most its tokens may do."""

    name: str
    role: RoleEnum


class Serving(TypedDict):
    """Serving cost against the serving budget: exact, but for the estimated latency."""

    parameters: int
    flops: int
    limit_parameters: int
    limit_flops: int
    latency: list[Latency]
    latency_budget: LatencyBudget


class ServingCheck(TypedDict):
    """What a spec costs to serve, against the budget."""

    parameters: int
    flops: int
    limit_parameters: int
    limit_flops: int
    batch_bytes: int
    latency: list[Latency]
    latency_budget: LatencyBudget


class SignInRequest(TypedDict):
    """What a sign-in needs. `code`: of the second factor, where the account has one (401 …"""

    email: str
    password: str
    code: NotRequired[str]


class Slot(TypedDict):
    """A tenant's place in a foundation model."""

    tenant: str
    foundation_model: str
    slot: int


class Slots(TypedDict):
    """Slots of live workers."""

    total: int
    held: int


class Snapshot(TypedDict):
    """Published weights of the foundation model, or a candidate."""

    id: str
    state: SnapshotStateEnum
    watermark: str
    published_at: str | None
    gate: Gate


class SnapshotLink(TypedDict):
    """The snapshot in use."""

    id: str
    watermark: str
    published_at: str


SnapshotStateEnum: TypeAlias = 'Literal["candidate", "published", "rejected", "retired"]'


class SnapshotUses(TypedDict):
    """What a snapshot labelled of the tenant's, and which of its models learned from that, newest first."""

    label_sets: list[LabelSet]
    all_label_sets: str | None
    models: list[ModelLink]
    all_models: str | None


class SparkPoint(TypedDict):
    """Lift of the partition that ends at `t`."""

    t: str
    lift: float | None


class Spend(TypedDict):
    """Money of the running period."""

    currency: str
    spent: str
    reserved: str
    budget: str
    action: BudgetActionEnum
    act_percent: int
    acts_at: str
    acts: bool
    forecast: str
    measurement: str
    fm_share: str


class SsoCodeRequest(TypedDict):
    """What the second step needs: a code of the authenticator app, or a recovery code."""

    code: str


class Stream(TypedDict):
    """A stream with its schema and counts."""

    id: str
    name: str
    schema: dict[str, Any]
    label_deadline_seconds: NotRequired[int]
    feed_fm: NotRequired[bool]
    feed_shared: NotRequired[bool]
    partitions: StreamCounts
    created_at: str


class StreamCounts(TypedDict):
    """How much a stream holds."""

    sealed: int
    rejected: int
    rows: int


class StreamLink(TypedDict):
    """A stream by id and name."""

    id: str
    name: str


class StreamTermsRequest(TypedDict):
    """What a team decides about a stream; what is left out stays as it is."""

    label_deadline_seconds: NotRequired[int]
    feed_fm: NotRequired[bool]
    feed_shared: NotRequired[bool]


SubscribableEnum: TypeAlias = 'Literal["run.succeeded", "run.failed", "run.cancelled", "partition.sealed", "partition.rejected", "snapshot.published", "budget.threshold", "export.finished"]'


class TaughtBy(TypedDict):
    """A snapshot of the foundation model."""

    id: str
    watermark: str
    state: SnapshotStateEnum


class Teaching(TypedDict):
    """How the foundation model teaches the model at present."""

    coverage: float | None
    freshness_seconds: float | None
    clipped_share: float | None
    snapshot: str | None
    gate: GateEnum | NullEnum


class Tenant(TypedDict):
    """A tenant."""

    id: str
    slug: str
    name: str
    domain: str
    status: TenantStatusEnum
    created_at: str


class TenantCreateRequest(TypedDict):
    """A new tenant, complete with owner, budget and quotas."""

    slug: str
    name: str
    domain: NotRequired[str]
    owner: OwnerRequest
    budget: NotRequired[OpeningBudgetRequest]
    quota: NotRequired[OpeningQuotaRequest]


class TenantExport(TypedDict):
    """An export. `bytes`, `sha256`, `files` and `rows` are known when it is done."""

    id: str
    state: TenantExportStateEnum
    include: list[IncludeEnum]
    requested_by: NotRequired[str | None]
    created_at: str
    finished_at: str | None
    expires_at: str | None
    expected_bytes: int
    written_bytes: int
    bytes: int | None
    sha256: str | None
    files: int | None
    rows: int | None
    missing: int
    error: ExportError | None


TenantExportStateEnum: TypeAlias = 'Literal["queued", "running", "done", "failed", "expired"]'


class TenantLink(TypedDict):
    """A tenant by slug and name."""

    slug: str
    name: str


class TenantSettings(TypedDict):
    """A tenant's settings."""

    second_factor_required: bool


class TenantSettingsRequest(TypedDict):
    """A tenant's settings."""

    second_factor_required: bool


TenantStatusEnum: TypeAlias = 'Literal["active", "suspended", "erased"]'


class Token(TypedDict):
    """A token, without its secret."""

    id: str
    name: str
    prefix: str
    user: str
    scopes: list[str]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


class TokenCreateRequest(TypedDict):
    """What a new token needs; scopes are permissions of the caller's role."""

    name: str
    scopes: list[str]
    expires_at: NotRequired[str | None]


class TokenCreated(TypedDict):
    """A token just made: the only answer that holds `token`. A repetition by idempotency key gets null."""

    id: str
    name: str
    prefix: str
    user: str
    scopes: list[str]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    token: str | None


class Use(TypedDict):
    """A row that keeps another from being deleted."""

    kind: str
    id: str
    name: str


class Used(TypedDict):
    """How much of a quota is in use."""

    used: int
    limit: int


VerdictEnum: TypeAlias = 'Literal["no_limit", "within", "over", "not_measured"]'


class Version(TypedDict):
    """An immutable version of a model."""

    id: str
    number: int
    spec: dict[str, Any]
    sha256: str
    serving_parameters: int
    serving_flops: int
    created_at: str


class Webhook(TypedDict):
    """An address that is told of events."""

    id: str
    url: str
    description: str
    event_types: list[SubscribableEnum]
    status: WebhookStatusEnum
    disabled_reason: str
    failing_since: str | None
    previous_until: str | None
    waiting: int
    created_at: str


class WebhookSecret(TypedDict):
    """A webhook with its secret: the only answer that holds it. A repetition by idempotency key gets null."""

    id: str
    url: str
    description: str
    event_types: list[SubscribableEnum]
    status: WebhookStatusEnum
    disabled_reason: str
    failing_since: str | None
    previous_until: str | None
    waiting: int
    created_at: str
    secret: str | None


WebhookStatusEnum: TypeAlias = 'Literal["active", "disabled"]'


class WebhookTermsRequest(TypedDict):
    """What may be changed of a webhook; what is left out stays."""

    url: NotRequired[str]
    description: NotRequired[str]
    event_types: NotRequired[list[SubscribableEnum]]
    enabled: NotRequired[bool]


class Worker(TypedDict):
    """A worker."""

    name: str
    flavor: str
    slots: int
    seen_at: str
    live: bool
