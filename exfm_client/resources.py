"""What a tenant has, as Python calls. Lists are iterators over all pages; names stand for ids where they are unique."""

import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, cast

from exfm_client import live, schema
from exfm_client.errors import NotFound, Rejected, Unusable
from exfm_client.transport import Transport
from exfm_client.uploads import MEDIA_TYPE, Upload

ENDED = frozenset({"succeeded", "failed", "cancelled"})
POLL_SECONDS = 0.5


class Resource:
    """Addresses below one tenant."""

    def __init__(self, transport: Transport, base: str) -> None:
        self._transport = transport
        self._base = base

    def _get(self, path: str, **params: Any) -> Any:
        return self._transport.call("GET", f"{self._base}/{path}", params=params).data

    def _post(self, path: str, json: Any = None, key: str | None = None) -> Any:
        headers = {"Idempotency-Key": key} if key else None
        return self._transport.call("POST", f"{self._base}/{path}", json=json, headers=headers).data

    def _pages(self, path: str, **params: Any) -> Iterator[Any]:
        return self._transport.pages(f"{self._base}/{path}", params)

    def _id(self, path: str, name: str, what: str) -> str:
        """Return the id that a name stands for; an id stands for itself."""
        if _is_id(name):
            return name
        for row in self._pages(path):
            if row["name"] == name:
                return str(row["id"])
        raise Unusable(f"There is no {what} named {name!r}.", f"List them: exfm {path} list.")


class Streams(Resource):
    """Streams and their partitions."""

    def list(self) -> Iterator[schema.Stream]:
        """Yield the streams, newest first."""
        return self._pages("streams")

    def get(self, stream: str) -> schema.Stream:
        """Return a stream by id or name."""
        return cast(schema.Stream, self._get(f"streams/{self.id(stream)}"))

    def id(self, stream: str) -> str:
        """Return the id of a stream by its name."""
        return self._id("streams", stream, "stream")

    def create(self, terms: Mapping[str, Any], *, key: str | None = None) -> schema.Stream:
        """Register a stream: name, schema, consents."""
        return cast(schema.Stream, self._post("streams", dict(terms), key))

    def partitions(self, stream: str) -> Iterator[schema.Partition]:
        """Yield a stream's partitions, latest event time first."""
        return self._pages(f"streams/{self.id(stream)}/partitions")

    def partition(self, stream: str, partition: str) -> schema.Partition:
        """Return one partition."""
        return cast(schema.Partition, self._get(f"streams/{self.id(stream)}/partitions/{partition}"))

    def delete(self, stream: str) -> None:
        """Delete a stream without partitions and models; `Conflict` names in `uses` what it has."""
        self._transport.call("DELETE", f"{self._base}/streams/{self.id(stream)}")

    def delete_partition(self, stream: str, partition: str) -> None:
        """Delete a partition that nothing has used, with its file; `Conflict` names in `uses` what has."""
        path = f"{self._base}/streams/{self.id(stream)}/partitions/{_checked_id(partition)}"
        self._transport.call("DELETE", path)

    def push(self, stream: str, upload: Upload) -> schema.Partition:
        """Upload a partition: streamed, its hash checked by the platform.

        What the stream holds already is not sent again. A broken transfer is repeated under the same key, also by
        another process that is given the same file and interval later.
        """
        target, digest = self.id(stream), upload.sha256()
        interval = {"start": _iso(upload.start), "end": _iso(upload.end)}
        headers = {
            "Content-Type": MEDIA_TYPE,
            "Content-Length": str(upload.path.stat().st_size),
            "X-Content-SHA256": digest,
            "Idempotency-Key": f"{target}:{interval['start']}:{interval['end']}:{digest}",
        }
        path = f"{self._base}/streams/{target}/partitions"
        answer = self._transport.call("POST", path, params=interval, body=upload.pieces, headers=headers)
        return cast(schema.Partition, answer.data)

    def wait(self, stream: str, partition: str, *, seconds: float = 600) -> schema.Partition:
        """Wait until a partition is sealed; raise `Rejected` with every problem where it is not."""
        target, until = self.id(stream), time.monotonic() + seconds
        while True:
            found = self.partition(target, partition)
            if found["state"] == "sealed":
                return found
            if found["state"] == "rejected":
                said = found["problems"][0]["message"] if found["problems"] else "It does not match the schema."
                mend = "Mend the file and push it again; its interval is free."
                raise Rejected(said, mend, cast(Any, found["problems"]))
            if time.monotonic() > until:
                raise Unusable(f"The partition is still being checked after {seconds:.0f} s.", "Look again later.")
            time.sleep(POLL_SECONDS)


class Models(Resource):
    """Vertical models."""

    def list(self) -> Iterator[schema.ModelCard]:
        """Yield the models with their lift and cost."""
        return self._pages("models")

    def get(self, model: str) -> schema.Model:
        """Return a model by id or name."""
        return cast(schema.Model, self._get(f"models/{self.id(model)}"))

    def id(self, model: str) -> str:
        """Return the id of a model by its name."""
        return self._id("models", model, "model")

    def register(self, terms: Mapping[str, Any], *, key: str | None = None) -> schema.Model:
        """Register a model: name, stream (by id or name), foundation_model (by id, name or null), spec."""
        wanted = dict(terms)
        if wanted.get("stream"):
            wanted["stream"] = Streams(self._transport, self._base).id(str(wanted["stream"]))
        if wanted.get("foundation_model") and not _is_id(str(wanted["foundation_model"])):
            wanted["foundation_model"] = Foundation(self._transport, self._base).id(str(wanted["foundation_model"]))
        return cast(schema.Model, self._post("models", wanted, key))

    def curve(self, model: str) -> schema.Curve:
        """Return NE, lift and AUC by partition."""
        return cast(schema.Curve, self._get(f"models/{self.id(model)}/curve"))

    def pause(self, model: str) -> schema.Model:
        """Keep a model from training."""
        return cast(schema.Model, self._post(f"models/{self.id(model)}/pause"))

    def resume(self, model: str) -> schema.Model:
        """Let a paused model train again."""
        return cast(schema.Model, self._post(f"models/{self.id(model)}/resume"))

    def checkpoints(self, model: str) -> Iterator[schema.Checkpoint]:
        """Yield the checkpoints of both arms, newest first."""
        return self._pages(f"models/{self.id(model)}/checkpoints")

    def aliases(self, model: str) -> Iterator[schema.Alias]:
        """Yield where the model's aliases point."""
        return self._pages(f"models/{self.id(model)}/aliases")

    def point(self, model: str, alias: str, checkpoint: str, *, note: str = "") -> schema.Alias:
        """Point `serving` or `candidate` at a checkpoint of the model."""
        path = f"{self._base}/models/{self.id(model)}/aliases/{_word(alias)}"
        wanted = {"checkpoint": _checked_id(checkpoint), "note": note}
        return cast(schema.Alias, self._transport.call("PUT", path, json=wanted).data)

    def roll_back(self, model: str, alias: str, *, note: str = "", key: str | None = None) -> schema.Alias:
        """Point an alias at what it pointed at before; once more goes further back."""
        path = f"models/{self.id(model)}/aliases/{_word(alias)}/rollback"
        return cast(schema.Alias, self._post(path, {"note": note}, key))


class Runs(Resource):
    """Runs."""

    def list(self, *, model: str | None = None, state: str | None = None) -> Iterator[schema.RunCard]:
        """Yield the runs, newest first; `state` may be `open`, `model` a name."""
        wanted = Models(self._transport, self._base).id(model) if model else None
        return self._pages("runs", model=wanted, state=state)

    def get(self, run: str) -> schema.Run:
        """Return a run with its attempts, partitions and log."""
        return cast(schema.Run, self._get(f"runs/{_checked_id(run)}"))

    def stop(self, run: str) -> schema.Run:
        """Ask a run to stop at its last checkpoint."""
        return cast(schema.Run, self._post(f"runs/{_checked_id(run)}/stop"))

    def retry(self, run: str) -> schema.Run:
        """Queue a new run in place of a failed or cancelled one."""
        return cast(schema.Run, self._post(f"runs/{_checked_id(run)}/retry"))

    def follow(self, run: str) -> Iterator[schema.RunCard]:
        """Yield the run's card whenever it changes, until it has ended; survives broken connections."""
        target = _checked_id(run)
        for event in live.follow(self._transport, f"{self._base}/events", {"run": target}):
            card = cast(schema.RunCard, event.data if event.name == "run" else self.get(target))
            yield card
            if card["state"] in ENDED:
                return


class Webhooks(Resource):
    """Addresses that are told of events."""

    def list(self) -> Iterator[schema.Webhook]:
        """Yield the webhooks."""
        return self._pages("webhooks")

    def get(self, webhook: str) -> schema.Webhook:
        """Return a webhook."""
        return cast(schema.Webhook, self._get(f"webhooks/{_checked_id(webhook)}"))

    def create(self, terms: Mapping[str, Any], *, key: str | None = None) -> schema.WebhookSecret:
        """Make a webhook; `secret` is in this answer and never again."""
        return cast(schema.WebhookSecret, self._post("webhooks", dict(terms), key))

    def change(self, webhook: str, changes: Mapping[str, Any]) -> schema.Webhook:
        """Change a webhook as it is now; `Changed` where somebody else changes it at the same time."""
        path = f"{self._base}/webhooks/{_checked_id(webhook)}"
        read = self._transport.call("GET", path)
        headers = {"If-Match": read.etag} if read.etag else None
        return cast(schema.Webhook, self._transport.call("PATCH", path, json=dict(changes), headers=headers).data)

    def remove(self, webhook: str) -> None:
        """Remove a webhook with its log; one that is gone already is fine."""
        try:
            self._transport.call("DELETE", f"{self._base}/webhooks/{_checked_id(webhook)}")
        except NotFound as error:
            if error.code != "webhook_not_found":
                raise

    def test(self, webhook: str) -> schema.DeliveryDetail:
        """Send a test event."""
        return cast(schema.DeliveryDetail, self._post(f"webhooks/{_checked_id(webhook)}/test"))

    def deliveries(self, webhook: str, *, state: str | None = None) -> Iterator[schema.Delivery]:
        """Yield the deliveries, newest first."""
        return self._pages(f"webhooks/{_checked_id(webhook)}/deliveries", state=state)

    def replay(self, webhook: str, delivery: str) -> schema.DeliveryDetail:
        """Deliver an event once more."""
        path = f"webhooks/{_checked_id(webhook)}/deliveries/{_checked_id(delivery)}/replay"
        return cast(schema.DeliveryDetail, self._post(path))


class Foundation(Resource):
    """The foundation model."""

    def get(self) -> schema.Foundation:
        """Return its catalogue, snapshots and cost share."""
        return cast(schema.Foundation, self._get("foundation"))

    def id(self, name: str) -> str:
        """Return the id of the foundation model by its name."""
        found = self.get()
        if found["id"] and found["name"] == name:
            return found["id"]
        raise Unusable(f"There is no foundation model named {name!r}.", "Look: exfm foundation.")


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _checked_id(text: str) -> str:
    """Return an id that may stand in an address."""
    if not _is_id(text):
        raise Unusable(f"{text!r} is no id.", "Ids look like 01a1fc0b-8f4e-72f1-9d2c-3f5a7c1e0b42.")
    return text


def _word(alias: str) -> str:
    """Return an alias that may stand in an address."""
    if alias not in ("serving", "candidate"):
        raise Unusable(f"{alias!r} is no alias.", "Aliases are serving and candidate.")
    return alias


def _iso(moment: Any) -> str:
    return str(moment.isoformat()).replace("+00:00", "Z")
