"""The cast for the tests of the walls."""

from tests.kit.cast import cast as cast
