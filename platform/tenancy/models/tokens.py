"""What opens a tenant: API tokens, and invitations. Only digests of either are kept."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from tenancy.managers import TenantManager
from tenancy.models.base import TenantOrPlatformOwned, TenantOwned
from tenancy.models.people import Role, User


class TokenManager(TenantManager["ApiToken"]):
    """Leaves the digest behind: tenants' processes may write it and not read it."""

    def get_queryset(self) -> models.QuerySet["ApiToken"]:
        return super().get_queryset().defer("digest")


class ApiToken(TenantOrPlatformOwned):
    """A bearer token: only its SHA-256 is kept. `tenant` null = a platform administrator's token."""

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[TokenManager] = TokenManager()

    def __str__(self) -> str:
        return f"exfm_{self.prefix}_…"


class InvitationManager(TenantManager["Invitation"]):
    """Leaves the digest behind, like `TokenManager`."""

    def get_queryset(self) -> models.QuerySet["Invitation"]:
        return super().get_queryset().defer("digest")


class Invitation(TenantOwned):
    """An offer to join a tenant in a role, bound to one e-mail address; its link is shown once."""

    email = models.EmailField()
    role = models.CharField(max_length=12, choices=Role.choices)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[InvitationManager] = InvitationManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "email"],
                condition=Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="invitation_one_open_per_address",
            )
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.email}"
