"""Foundation models as administrators see and register them."""

from rest_framework import serializers

from api.base.serializers import StrictSerializer
from registry.latency import Verdict


class NewFoundationModelSerializer(StrictSerializer):
    """A foundation model to register."""

    name = serializers.SlugField(max_length=63)
    spec = serializers.DictField(help_text="an exfm_core.spec.FoundationSpec")
    period_seconds = serializers.IntegerField(min_value=1, max_value=366 * 86_400, help_text="nominal, in event time")
    gate = serializers.DictField(required=False, help_text='{"tolerance": 0.02, "calibration": [0.8, 1.25]}')


class FoundationModelSerializer(StrictSerializer):
    """A foundation model."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    period_seconds = serializers.IntegerField()
    gate = serializers.DictField()
    is_active = serializers.BooleanField()
    published = serializers.UUIDField(source="published_id", allow_null=True, help_text="snapshot that labels now")
    created_at = serializers.DateTimeField()


class NewSlotSerializer(StrictSerializer):
    """A tenant to bind to a foundation model."""

    tenant = serializers.SlugField(help_text="the tenant's slug")


class SlotSerializer(StrictSerializer):
    """A tenant's place in a foundation model."""

    tenant = serializers.CharField(source="tenant.slug")
    foundation_model = serializers.UUIDField(source="foundation_model_id")
    slot = serializers.IntegerField()


class RollbackSerializer(StrictSerializer):
    """Why; kept in the audit log."""

    reason = serializers.CharField(max_length=500)


class NewDeviceProfileSerializer(StrictSerializer):
    """A measured device, and why it is registered."""

    profile = serializers.DictField(help_text="what `python -m exfm_core calibrate` writes")
    reason = serializers.CharField(max_length=500)


class DeviceProfileSerializer(StrictSerializer):
    """A measured device."""

    flavor = serializers.CharField()
    profile = serializers.DictField(help_text="an exfm_core.cost.device.DeviceProfile")
    updated_at = serializers.DateTimeField()


class LatencyBudgetSerializer(StrictSerializer):
    """Estimated p99 of one row on the flavor that models serve on, against the limit; both in microseconds."""

    flavor = serializers.CharField()
    limit_us = serializers.IntegerField(allow_null=True, help_text="null: no limit")
    p99_us = serializers.FloatField(source="p99.value", allow_null=True, help_text="null: not measured")
    p99_error = serializers.FloatField(source="p99.error", allow_null=True, help_text="a factor")
    verdict = serializers.ChoiceField(
        choices=list(Verdict), help_text="`not_measured`: the limit is not checked before the export"
    )
    shares = serializers.DictField(child=serializers.FloatField(), help_text="of each part of a request, largest first")


class LatencySerializer(StrictSerializer):
    """Estimated latency of the exported graph on a flavor; an estimate t with error e means t ÷ e to t · e."""

    flavor = serializers.CharField()
    device = serializers.CharField()
    batch = serializers.IntegerField()
    p50_us = serializers.FloatField(help_text="microseconds")
    p50_error = serializers.FloatField(help_text="a factor, from shapes that the fit had not seen")
    p99_us = serializers.FloatField(help_text="microseconds")
    p99_error = serializers.FloatField(help_text="a factor")
