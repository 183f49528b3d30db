"""The cast."""

from tests.kit.cast import cast as cast
