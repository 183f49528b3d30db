"""Streams and partitions as JSON."""

from rest_framework import serializers

from api.base.serializers import StrictModelSerializer, StrictSerializer
from catalog.models import Partition, Stream
from catalog.services import StreamTerms

COLUMN_ROLES = [
    (role, role) for role in ("event time", "user key", "label", "categorical", "sequence", "dense", "left out")
]
"""Those of `exfm_core.data.infer`, which this process does not import: it reads files, and takes memory for that."""
FORMATS = ("parquet", "csv", "json lines")


class StreamCountsSerializer(StrictSerializer):
    """How much a stream holds."""

    sealed = serializers.IntegerField()
    rejected = serializers.IntegerField()
    rows = serializers.IntegerField(help_text="rows of sealed partitions")


class StreamSerializer(StrictModelSerializer):
    """A stream with its schema and counts."""

    schema = serializers.DictField(help_text="an exfm_core.spec.StreamSchema")
    partitions = StreamCountsSerializer(source="counts", read_only=True)

    class Meta:
        model = Stream
        fields = (
            "id",
            "name",
            "schema",
            "label_deadline_seconds",
            "feed_fm",
            "feed_shared",
            "partitions",
            "created_at",
        )


class StreamTermsSerializer(StrictSerializer):
    """What a team decides about a stream; what is left out stays as it is."""

    label_deadline_seconds = serializers.IntegerField(min_value=0, max_value=30 * 86_400, required=False)
    feed_fm = serializers.BooleanField(required=False)
    feed_shared = serializers.BooleanField(required=False)

    def terms(self, stream: Stream | None = None) -> StreamTerms:
        """Return the validated terms on top of the stream's, or of the defaults."""
        known = stream or StreamTerms()
        names = ("label_deadline_seconds", "feed_fm", "feed_shared")
        return StreamTerms(**{name: self.validated_data.get(name, getattr(known, name)) for name in names})


class NewStreamSerializer(StreamTermsSerializer):
    """A stream to register."""

    name = serializers.SlugField(max_length=63)
    schema = serializers.DictField(help_text="an exfm_core.spec.StreamSchema")


class ProposedColumnSerializer(StrictSerializer):
    """What a column of a sample would become, and why."""

    name = serializers.CharField()
    type = serializers.CharField(help_text="as the file holds it")
    role = serializers.ChoiceField(choices=COLUMN_ROLES, help_text="what it would be in the schema")
    reason = serializers.CharField()
    distinct = serializers.IntegerField(allow_null=True, help_text="values in the rows read")
    nulls = serializers.IntegerField()


class ProposalSerializer(StrictSerializer):
    """A first schema for a sample of rows: to be read and changed, then registered."""

    format = serializers.ChoiceField(choices=FORMATS)
    rows = serializers.IntegerField(help_text="read")
    whole = serializers.BooleanField(help_text="whether these are all rows of the file")
    schema = serializers.DictField(
        allow_null=True, help_text="an exfm_core.spec.StreamSchema; null where the file lacks what a stream must have"
    )
    columns = ProposedColumnSerializer(many=True)
    warnings = serializers.ListField(child=serializers.CharField())


class PartitionProblemSerializer(StrictSerializer):
    """One thing that is wrong with an uploaded file."""

    column = serializers.CharField(allow_null=True)
    row = serializers.IntegerField(allow_null=True, help_text="counted from 0")
    expected = serializers.CharField(allow_null=True)
    found = serializers.CharField(allow_null=True)
    message = serializers.CharField()


class PartitionSerializer(StrictModelSerializer):
    """A partition and, if it was rejected, why."""

    problems = PartitionProblemSerializer(many=True, read_only=True)
    positives = serializers.DictField(child=serializers.IntegerField(), help_text="task name -> positive labels")
    label_sets = serializers.IntegerField(source="label_set_count", read_only=True)
    trained = serializers.IntegerField(read_only=True, help_text="lineages of models that have consumed it")

    class Meta:
        model = Partition
        fields = (
            "id",
            "start",
            "end",
            "state",
            "rows",
            "positives",
            "sha256",
            "bytes",
            "source_uri",
            "problems",
            "label_sets",
            "trained",
        )


class ImportSerializer(StrictSerializer):
    """A file to import."""

    uri = serializers.CharField(max_length=1000, help_text="below one of the tenant's import roots")
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    sha256 = serializers.RegexField(r"^[0-9a-fA-F]{64}\Z", help_text="of the file; another content is refused")
    bytes = serializers.IntegerField(min_value=1, help_text="of the file; counts against the storage quota at once")


class ImportsSerializer(StrictSerializer):
    """Files to import, all or none."""

    partitions = serializers.ListField(child=ImportSerializer(), min_length=1, max_length=200)


class ImportRootsSerializer(StrictSerializer):
    """Where files may be imported from."""

    roots = serializers.ListField(child=serializers.CharField(), help_text="addresses, each ending in a slash")


class ImportedSerializer(StrictSerializer):
    """The partitions, in the order of the files."""

    results = PartitionSerializer(many=True)


class IntervalSerializer(StrictSerializer):
    """The interval `[start, end)` of an upload, in the query."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
