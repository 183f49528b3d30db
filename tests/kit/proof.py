"""Proofs of a second factor for sessions that tests begin."""

from tenancy.models import IdentityProvider
from tenancy.second_factor import Proof
from tests.kit.roles import PLATFORM, database_role


def vouched() -> Proof:
    """Return the proof of somebody whom a trusted provider asked for a second factor; makes the provider."""
    with database_role(PLATFORM):
        values = {"name": "Vouching", "issuer": "https://vouching.example", "client_id": "exfm"}
        row, _ = IdentityProvider.objects.get_or_create(
            slug="vouching", defaults={**values, "trusts_second_factor": True}
        )
        return Proof.word(row)
