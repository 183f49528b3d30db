"""Identifiers: UUIDv7, made in Python so that a row's id is known before it is inserted and sorts by creation time."""

import uuid

import uuid_utils.compat


def new_id() -> uuid.UUID:
    """Return a fresh UUIDv7 (RFC 9562) as a standard `uuid.UUID`."""
    return uuid_utils.compat.uuid7()
