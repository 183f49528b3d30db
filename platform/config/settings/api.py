"""REST framework and OpenAPI. The classes named here live in the `api` app."""

from config import env

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "api.base.authentication.TokenAuthentication",
        "api.base.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["api.base.rendering.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.base.parsers.StrictJSONParser"],
    "DEFAULT_FILTER_BACKENDS": [],
    "DEFAULT_PAGINATION_CLASS": "api.base.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "api.base.schema.AutoSchema",
    "EXCEPTION_HANDLER": "api.base.errors.problem_handler",
    "PAGE_SIZE": 50,
    "DEFAULT_THROTTLE_RATES": {
        "credential": f"{env.number('EXFM_REQUESTS_PER_MINUTE', 1200)}/min",
        "anonymous": "120/min",
    },
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "ExFM API",
    "DESCRIPTION": "Streams, vertical models, runs, lift, cost and budgets.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": True,
    "ENUM_NAME_OVERRIDES": {
        "InvitationStateEnum": "tenancy.invitations.STATES",
        "BudgetActionEnum": "budgets.models.Budget.Action",
        "ColumnRoleEnum": "catalog.serializers.COLUMN_ROLES",
        "DeliveryStateEnum": "alerts.models.Delivery.State",
        "EventTypeEnum": "alerts.types.EventType",
        "GateEnum": "runs.models.WorkClaim.Gate",
        "LineageStateEnum": "registry.models.Lineage.State",
        "ModelStatusEnum": "registry.models.VerticalModel.Status",
        "PartitionStateEnum": "catalog.models.Partition.State",
        "RoleEnum": "tenancy.models.Role",
        "RunAttemptStateEnum": "runs.models.Attempt.State",
        "RunKindEnum": "runs.models.Kind",
        "RunPartitionStateEnum": [("claimed", "claimed"), ("done", "done")],
        "RunStateEnum": "runs.models.State",
        "SnapshotStateEnum": "registry.models.Snapshot.State",
        "SubscribableEnum": "alerts.types.SUBSCRIBABLE",
        "TenantStatusEnum": "tenancy.models.Tenant.Status",
        "WebhookStatusEnum": "alerts.models.Webhook.Status",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.base.schema.add_events",
        "api.base.schema.add_refusals",
        "api.base.schema.simplify",
        "api.examples.add_examples",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
