"""Fills an empty, migrated database with a large installation, by SQL inside the server.

Tenant number 1 is big (500 models, 60 of them with a hundred partitions each); the others share the rest evenly. Rows
are what the services would have written, without their triggers, which would take hours.
"""

from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

DEFAULTS = {
    "uuid": "'00000000-0000-7000-8000-000000000000'",
    "boolean": "false",
    "jsonb": "'{}'",
    "timestamp with time zone": "now()",
    "character varying": "''",
    "text": "''",
    "ARRAY": "'{}'",
}
"""What a column that must not be null and that a fill leaves out gets; numbers get 0."""


POOL: LiteralString = """
    CREATE TEMP TABLE pool AS
    SELECT k, array_agg(n) AS n, array_agg(y) AS y, array_agg(loss) AS loss, array_agg(p) AS mean FROM (
        SELECT k, (3 + floor(random() * 3))::float8 AS n, floor(random() * 2)::float8 AS y, 0.6 + random() AS loss,
               random() AS p
        FROM generate_series(0, 63) k, generate_series(1, 256) b
    ) s GROUP BY k
"""
"""64 ready sums of 256 buckets, from which the partitions draw theirs."""


@dataclass(frozen=True)
class Size:
    """How large an installation to make; points = runs × 100."""

    tenants: int = 1000
    models: int = 20_000
    runs: int = 200_000
    big_models: int = 500
    deep_models: int = 60
    deep_partitions: int = 100
    partitions: int = 2

    @property
    def points(self) -> int:
        """Metric points: two metrics of fifty points for every run."""
        return self.runs * 100


def identity(kind: int, number: str) -> str:
    """SQL of the id of row `number` of a kind of rows: a UUIDv7 that sorts by number."""
    return f"('0190{kind:04x}-0000-7000-8000-' || lpad(to_hex(({number})::bigint), 12, '0'))::uuid"


TENANT, USER, STREAM, PARTITION, MODEL, VERSION, LINEAGE, RUN, ATTEMPT, CLAIM, TEACHER, SUMS, CHUNK, USAGE, OTHER = (
    range(1, 16)
)
WEBHOOK, DELIVERY, MOVE, EXPORT = range(16, 20)
PEOPLE, WEBHOOKS, DELIVERIES, MOVES, EXPORTS = 120, 60, 5000, 60, 60
"""What tenant 1 has beside its models."""


class Filler:
    """Inserts by `INSERT … SELECT`; columns that are left out get a neutral value where they must have one."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")

    def insert(self, table: str, source: str, **columns: str) -> int:
        """Insert one row per row of `source` (a FROM clause); values are SQL over its columns."""
        known = self.connection.execute(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = %s AND is_identity = 'NO'",
            [table],
        ).fetchall()
        names = {name for name, _, _ in known}
        assert set(columns) <= names, (table, set(columns) - names)
        values = {
            name: columns.get(name, DEFAULTS.get(kind, "0"))
            for name, kind, nullable in known
            if name in columns or nullable == "NO"
        }
        statement = sql.SQL("INSERT INTO {table} ({names}) SELECT {values} FROM {source}").format(
            table=sql.Identifier(table),
            names=sql.SQL(", ").join(sql.Identifier(name) for name in values),
            values=sql.SQL(", ").join(_plain(value) for value in values.values()),
            source=_plain(source),
        )
        return self.connection.execute(statement).rowcount


def _plain(text: Any) -> sql.SQL:
    return sql.SQL(text)


def fill(connection: psycopg.Connection[Any], size: Size, specs: dict[str, Any]) -> None:
    """Fill the database. `specs`: JSON texts of a stream's `schema`, a `vertical` and a `foundation` spec."""
    filler = Filler(connection)
    count = {name: int(value) for name, value in vars(size).items()}
    rest = -(-(count["models"] - count["big_models"]) // (count["tenants"] - 1))
    # Tenant of model m: the first big_models belong to tenant 1, then `rest` to each of the others.
    owner = f"CASE WHEN m <= {count['big_models']} THEN 1 ELSE 2 + (m - {count['big_models']} - 1) / {rest} END"
    deep = f"m <= {count['deep_models']}"
    parts = f"CASE WHEN {deep} THEN {count['deep_partitions']} ELSE {count['partitions']} END"
    begin = "timestamptz '2026-01-01 00:00+00'"
    month = "date_trunc('month', now() AT TIME ZONE 'UTC')"
    hour = f"{begin} + interval '1 hour' *"
    literal = {name: sql.Literal(text).as_string(connection) for name, text in specs.items()}

    filler.insert(
        "tenancy_tenant", f"generate_series(1, {count['tenants']}) t",
        id=identity(TENANT, "t"), slug="'team-' || t", name="'Team ' || t", status="'active'",
    )  # fmt: skip
    filler.insert(
        "catalog_stream", f"generate_series(1, {count['tenants']}) t",
        id=identity(STREAM, "t"), tenant_id=identity(TENANT, "t"), name="'impressions'", schema=literal["schema"],
        feed_fm="true",
    )  # fmt: skip
    each = f"CASE WHEN t = 1 THEN {count['deep_partitions']} ELSE {count['partitions']} END"
    filler.insert(
        "catalog_partition",
        f"generate_series(1, {count['tenants']}) t CROSS JOIN LATERAL generate_series(1, {each}) p",
        id=identity(PARTITION, "t * 1000 + p"), tenant_id=identity(TENANT, "t"), stream_id=identity(STREAM, "t"),
        start=f"{hour} p", end=f"{hour} (p + 1)", state="'sealed'", uri="'x'", sha256="md5(t::text || p)",
        bytes="1000", rows="1000", positives="""'{"click": 100}'""", sealed_at=f"{hour} (p + 1)",
    )  # fmt: skip
    filler.insert(
        "registry_foundationmodel", "(VALUES (1)) v(f)", id=identity(TEACHER, "1"), name="'shared'",
        period_seconds="3600", is_active="true", published_id=identity(TEACHER, "3"),
    )  # fmt: skip
    filler.insert(
        "registry_foundationversion", "(VALUES (1)) v(f)", id=identity(TEACHER, "2"), model_id=identity(TEACHER, "1"),
        number="1", spec=literal["foundation"],
    )  # fmt: skip
    filler.insert(
        "registry_snapshot", "(VALUES (1)) v(f)", id=identity(TEACHER, "3"),
        foundation_version_id=identity(TEACHER, "2"), lineage_id=identity(TEACHER, "4"), watermark=begin,
        state="'published'", published_at=begin, uri="'x'",
        gate="""'{"decision": "publish", "reason": "", "pooled": []}'""",
    )  # fmt: skip
    models = f"generate_series(1, {count['models']}) m CROSS JOIN LATERAL (SELECT {owner} AS t) o"
    filler.insert(
        "registry_verticalmodel", models, id=identity(MODEL, "m"), tenant_id=identity(TENANT, "o.t"),
        name="'model-' || m", stream_id=identity(STREAM, "o.t"), status="'active'",
    )  # fmt: skip
    filler.insert(
        "registry_modelversion", models, id=identity(VERSION, "m"), tenant_id=identity(TENANT, "o.t"),
        model_id=identity(MODEL, "m"), number="1", spec=literal["vertical"], serving_parameters="12345",
        serving_flops="23456", sha256="md5(m::text)",
    )  # fmt: skip
    filler.insert(
        "registry_binding", models, id=identity(OTHER, "m"), tenant_id=identity(TENANT, "o.t"),
        model_id=identity(MODEL, "m"), foundation_model_id=identity(TEACHER, "1"), number="1", ended_at="NULL",
    )  # fmt: skip
    arms = f"{models} CROSS JOIN (VALUES (0, 'control'), (1, 'treatment')) a(arm, word)"
    filler.insert(
        "registry_lineage", arms, id=identity(LINEAGE, "m * 2 + a.arm"), tenant_id=identity(TENANT, "o.t"),
        model_version_id=identity(VERSION, "m"), arm="a.word", state="'active'",
        head_id=identity(OTHER, f"3000000000 + m * 2000 + ({parts}) * 2 + a.arm"),
    )  # fmt: skip
    steps = f"{models} CROSS JOIN LATERAL generate_series(1, {parts}) p"
    filler.insert(
        "registry_labelset",
        f"generate_series(1, {count['tenants']}) t CROSS JOIN LATERAL generate_series(1, {each}) p",
        id=identity(OTHER, "100000000 + t * 1000 + p"), tenant_id=identity(TENANT, "t"),
        partition_id=identity(PARTITION, "t * 1000 + p"), partition_start=f"{hour} p", watermark=begin,
        snapshot_id=identity(TEACHER, "3"), tasks="""'["click"]'""", uri="'x'", rows="1000",
    )  # fmt: skip
    # Ten runs a model; every model's newest run is its only open one in one of fifty models.
    runs = (
        f"generate_series(1, {count['runs']}) r CROSS JOIN LATERAL (SELECT 1 + (r - 1) % {count['models']} AS m) i"
        f" CROSS JOIN LATERAL (SELECT {owner} AS t) o"
    )
    last = f"r > {count['runs'] - count['models']} AND m % 50 = 0"
    filler.insert(
        "runs_run", runs, id=identity(RUN, "r"), tenant_id=identity(TENANT, "o.t"), kind="'vm.train'",
        state=f"CASE WHEN {last} THEN 'queued' WHEN r % 23 = 0 THEN 'failed' ELSE 'succeeded' END",
        reason_code="CASE WHEN r % 23 = 0 THEN 'user' ELSE 'idle' END", reason_message="'It waited long enough.'",
        model_id=identity(MODEL, "i.m"), flavor="'cpu'", threads="1",
        created_at="now() - interval '30 days' + interval '10 seconds' * r", started_at="now() - interval '30 days'",
        finished_at=f"CASE WHEN {last} THEN NULL ELSE now() - interval '30 days' END",
        progress="""'{"rows": 1000, "rows_total": 1000, "done": 1, "planned": 1, "metrics": {"ne_control": 0.9}}'""",
    )  # fmt: skip
    filler.insert(
        "runs_attempt", runs, id=identity(ATTEMPT, "r"), tenant_id=identity(TENANT, "o.t"), run_id=identity(RUN, "r"),
        number="1", worker="'worker@one'", state="'done'", log_tail="repeat('a line of the log' || chr(10), 20)",
    )  # fmt: skip
    # Claims, sums and usage belong to the first run of their model.
    filler.insert(
        "runs_workclaim", steps, id=identity(CLAIM, "m * 1000 + p"), tenant_id=identity(TENANT, "o.t"),
        run_id=identity(RUN, "m"), kind="'vm.train'", lineage_id=identity(LINEAGE, "m * 2 + 1"),
        partition_id=identity(PARTITION, "o.t * 1000 + p"), label_set_id=identity(OTHER, "100000000 + o.t * 1000 + p"),
        gate="'open'", committed_at=f"{hour} (p + 2)",
        result="""'{"rows": 1000, "covered": 1000, "clipped": 0, "seconds": {"total": 1.0}}'""",
    )  # fmt: skip
    both = f"{steps} CROSS JOIN (VALUES (0), (1)) a(arm)"
    filler.insert(
        "runs_consumption", both, id=identity(OTHER, "2000000000 + m * 2000 + p * 2 + a.arm"),
        tenant_id=identity(TENANT, "o.t"), lineage_id=identity(LINEAGE, "m * 2 + a.arm"),
        partition_id=identity(PARTITION, "o.t * 1000 + p"), claim_id=identity(CLAIM, "m * 1000 + p"),
        checkpoint_id=identity(OTHER, "3000000000 + m * 2000 + p * 2 + a.arm"),
    )  # fmt: skip
    filler.insert(
        "catalog_partitionuse", "(SELECT tenant_id, partition_id, count(*) FROM runs_consumption GROUP BY 1, 2) c",
        id="gen_random_uuid()", tenant_id="tenant_id", partition_id="partition_id", trained="count",
    )  # fmt: skip
    filler.insert(
        "registry_checkpoint", both, id=identity(OTHER, "3000000000 + m * 2000 + p * 2 + a.arm"),
        tenant_id=identity(TENANT, "o.t"), lineage_id=identity(LINEAGE, "m * 2 + a.arm"), position=f"{hour} (p + 1)",
        uri="'x'", sha256="md5(m::text || p || a.arm)", bytes="1000",
    )  # fmt: skip
    connection.execute(POOL)
    filler.insert(
        "runs_metricsums",
        f"{both} CROSS JOIN (VALUES (0, 'all'), (1, 'covered')) c(scope, word) JOIN pool q ON q.k = (m * 7 + p.p) % 64",
        id=identity(SUMS, "m * 4000 + p * 4 + a.arm * 2 + c.scope"), tenant_id=identity(TENANT, "o.t"),
        lineage_id=identity(LINEAGE, "m * 2 + a.arm"), partition_id=identity(PARTITION, "o.t * 1000 + p"),
        scope="c.word", n="q.n", y="q.y", p="q.mean", auc="0.7",
        loss="CASE WHEN a.arm = 0 THEN q.loss ELSE (SELECT array_agg(v * 0.985) FROM unnest(q.loss) v) END",
        histogram=f"CASE WHEN c.scope = 0 THEN '\\x{specs_histogram()}'::bytea END",
    )  # fmt: skip
    points = "(SELECT array_agg(s * 20) FROM generate_series(1, 50) s)"
    curve = "(SELECT array_agg(0.9 - s * 0.001 + random() * 0.01) FROM generate_series(1, 50) s)"
    filler.insert(
        "runs_metricchunk", f"{runs} CROSS JOIN (VALUES (0, 'ne_control'), (1, 'ne_treatment')) c(which, word)",
        id=identity(CHUNK, "r * 2 + c.which"), tenant_id=identity(TENANT, "o.t"), run_id=identity(RUN, "r"),
        attempt_id=identity(ATTEMPT, "r"), name="c.word", number="0", steps=points, values=curve, minimum="0.8",
        maximum="0.9", mean="0.85",
    )  # fmt: skip
    filler.insert(
        "budgets_usagerecord", f"{runs} CROSS JOIN (VALUES (0, 'training'), (1, 'measurement')) l(which, word)",
        id=identity(USAGE, "r * 2 + l.which"), tenant_id=identity(TENANT, "o.t"), run_id=identity(RUN, "r"),
        attempt_id=identity(ATTEMPT, "r"), line="l.word", flavor="'cpu'", device_seconds="10", rate="0.0001",
        amount="0.001",
    )  # fmt: skip
    # One run of the teacher, whose cost is shared by all tenants.
    taught = f"{count['runs']} + 1"
    filler.insert(
        "runs_run", "(VALUES (1)) v(f)", id=identity(RUN, taught), kind="'fm.train'", state="'succeeded'",
        reason_code="'idle'", foundation_model_id=identity(TEACHER, "1"), flavor="'cpu'", threads="1",
        started_at="now()", finished_at="now()",
    )  # fmt: skip
    filler.insert(
        "runs_attempt", "(VALUES (1)) v(f)", id=identity(ATTEMPT, taught), run_id=identity(RUN, taught), number="1",
        worker="'worker@one'", state="'done'",
    )  # fmt: skip
    filler.insert(
        "budgets_usagerecord",
        "(VALUES (0, 'fm_training', 123.456789), (1, 'fm_scoring', 98.765431)) l(n, word, paid)",
        id=identity(USAGE, f"({taught}) * 2 + l.n"), run_id=identity(RUN, taught),
        attempt_id=identity(ATTEMPT, taught), foundation_model_id=identity(TEACHER, "1"), line="l.word",
        flavor="'cpu'", device_seconds="l.paid * 10000", rate="0.0001", amount="l.paid",
    )  # fmt: skip
    filler.insert(
        "budgets_budget", f"generate_series(1, {count['tenants']}) t", id=identity(OTHER, "4000000000 + t"),
        tenant_id=identity(TENANT, "t"), period_start=f"{month} AT TIME ZONE 'UTC'",
        period_end=f"({month} + interval '1 month') AT TIME ZONE 'UTC'",
        amount="1000", spent="20", action="'stop'", act_percent="100",
    )  # fmt: skip
    filler.insert(
        "budgets_ledgerentry", runs, id=identity(USAGE, "1000000000 + r"), tenant_id=identity(TENANT, "o.t"),
        kind="'settle'", line="'training'", amount="0.002", run_id=identity(RUN, "r"),
        budget_id=identity(OTHER, "4000000000 + o.t"),
    )  # fmt: skip
    filler.insert(
        "budgets_monthlycost", "budgets_countedcost", id="gen_random_uuid()", tenant_id="tenant_id",
        model_id="model_id", foundation_model_id="foundation_model_id", line="line", month="month", amount="amount",
    )  # fmt: skip
    filler.insert(
        "budgets_costtodate", "budgets_countedtodate", id="gen_random_uuid()", tenant_id="tenant_id",
        model_id="model_id", training="training", measurement="measurement",
    )  # fmt: skip
    filler.insert(
        "budgets_monthlyrows", "budgets_countedrows", id="gen_random_uuid()", tenant_id="tenant_id",
        foundation_model_id="foundation_model_id", stream_id="stream_id", month="month", rows="rows",
    )  # fmt: skip
    filler.insert(
        "tenancy_auditentry", runs, id=identity(OTHER, "5000000000 + r"), tenant_id=identity(TENANT, "o.t"),
        action="'run.submit'", target_type="'run'", target_id=f"{identity(RUN, 'r')}::text", actor_label="'planner'",
    )  # fmt: skip
    fill_people(filler)
    connection.execute("SET session_replication_role = origin")


def fill_people(filler: Filler) -> None:
    """Tenant 1's members (two thirds people, the rest service accounts), tokens, webhooks, aliases and the like."""
    tenant = identity(TENANT, "1")
    people = f"generate_series(1, {PEOPLE}) u"
    filler.insert(
        "tenancy_user", people, id=identity(USER, "u"), email="'person-' || u || '@example.org'", name="'Person ' || u",
        is_active="true", is_service="u % 3 = 0",
    )  # fmt: skip
    filler.insert(
        "tenancy_membership", people, id=identity(USER, "1000 + u"), user_id=identity(USER, "u"), tenant_id=tenant,
        role="CASE WHEN u = 1 THEN 'owner' ELSE 'viewer' END",
    )  # fmt: skip
    filler.insert(
        "tenancy_apitoken", people, id=identity(USER, "2000 + u"), user_id=identity(USER, "u"), tenant_id=tenant,
        name="'token ' || u", prefix="lpad(u::text, 10, '0')", digest="md5(u::text)", scopes="""'{"runs:read"}'""",
    )  # fmt: skip
    filler.insert(
        "tenancy_invitation", people, id=identity(USER, "3000 + u"), tenant_id=tenant, role="'viewer'",
        email="'guest-' || u || '@example.org'", expires_at="now() + interval '7 days'",
        invited_by_id=identity(USER, "1"), digest="md5('guest' || u)",
    )  # fmt: skip
    filler.insert(
        "alerts_webhook", f"generate_series(1, {WEBHOOKS}) w", id=identity(WEBHOOK, "w"), tenant_id=tenant,
        url="'https://example.org/' || w", event_types="""'{"run.failed"}'""", status="'active'", salt="md5(w::text)",
    )  # fmt: skip
    deliveries = f"generate_series(1, {DELIVERIES}) d"
    filler.insert(
        "alerts_webhookevent", deliveries, id=identity(DELIVERY, "100000 + d"), tenant_id=tenant, type="'run.failed'",
    )  # fmt: skip
    filler.insert(
        "alerts_delivery", deliveries, id=identity(DELIVERY, "d"), tenant_id=tenant, webhook_id=identity(WEBHOOK, "1"),
        event_id=identity(DELIVERY, "100000 + d"), cause="'event'", state="'delivered'", attempts="1",
    )  # fmt: skip
    filler.insert(
        "registry_aliasmove", f"generate_series(1, {MOVES}) v", id=identity(MOVE, "v"), tenant_id=tenant,
        model_id=identity(MODEL, "1"), alias="'serving'", number="v", moved_by="'person-1@example.org'",
        checkpoint_id=identity(OTHER, "3000000000 + 2001 + v * 2"),
    )  # fmt: skip
    filler.insert(
        "tenancy_tenantexport", f"generate_series(1, {EXPORTS}) e", id=identity(EXPORT, "e"), tenant_id=tenant,
        include="""'{"rows"}'""", state="'expired'", requested_by_id=identity(USER, "1"), finished_at="now()",
    )  # fmt: skip


def specs_histogram() -> str:
    """A small histogram as the child sends it, in hexadecimal."""
    import zlib

    import numpy as np

    counts = np.zeros((2, 16384), np.int32)
    rng = np.random.default_rng(0)
    np.add.at(counts[0], rng.normal(7000, 600, 900).astype(int), 1)
    np.add.at(counts[1], rng.normal(7600, 600, 100).astype(int), 1)
    return zlib.compress(counts.astype("<i4").tobytes()).hex()
