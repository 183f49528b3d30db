"""How people prove who they are: counts of failures, the second factor, reset links, outside identities."""

from django.db import models

from tenancy.managers import PlatformManager
from tenancy.models.base import Identified, PlatformOwned, TenantOrPlatformOwned
from tenancy.models.people import Role, User


class SignInAttempt(models.Model):
    """Failed sign-ins of one e-mail address from one network address; the key is a hash of both."""

    key = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    window_started_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True, blank=True)

    objects = PlatformManager()

    def __str__(self) -> str:
        return self.key


class SecondFactor(Identified):
    """A user's authenticator app. The secret is encrypted; it counts from `confirmed_at` on."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    secret = models.TextField(help_text="base32, encrypted (tenancy.secrecy)")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(default=0, help_text="time step of the last accepted code: none works twice")

    objects = PlatformManager()

    def __str__(self) -> str:
        return f"second factor of {self.user_id}"


class RecoveryCode(Identified):
    """A code that stands in for the second factor once; only its digest is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    objects = PlatformManager()

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"


class PasswordReset(PlatformOwned):
    """A link with which a user sets a new password once; made by an administrator, shown to them once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True, help_text="used, or replaced by a later link")

    objects = PlatformManager()

    def __str__(self) -> str:
        return f"password reset of {self.user_id}"


class IdentityProvider(PlatformOwned):
    """An OpenID Connect provider that administrators trust."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    issuer = models.URLField(max_length=300)
    client_id = models.CharField(max_length=200)
    client_secret = models.TextField(blank=True, help_text="encrypted; empty for a public client")
    is_active = models.BooleanField(default=True)
    trusts_second_factor = models.BooleanField(
        default=False, help_text="a second factor asked there, by its signed word, counts here"
    )
    second_factor_acr = models.CharField(
        max_length=300, blank=True, help_text="`acr` values that mean one, apart by spaces; they are asked for"
    )
    trust = models.PositiveIntegerField(
        default=1, editable=False, help_text="counts the changes of what trust in it rests on: proofs name it"
    )

    objects = PlatformManager()

    def __str__(self) -> str:
        return self.slug


class IdentityDomain(TenantOrPlatformOwned):
    """An e-mail domain whose addresses a provider speaks for, and the tenant its people join; null = none."""

    provider = models.ForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="domains")
    domain = models.CharField(max_length=253, unique=True)
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.VIEWER)

    def __str__(self) -> str:
        return self.domain


class Identity(Identified):
    """A user as a provider knows them (`sub`)."""

    provider = models.ForeignKey(IdentityProvider, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")

    objects = PlatformManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "subject"], name="identity_provider_subject")]

    def __str__(self) -> str:
        return self.subject
