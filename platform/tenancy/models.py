"""Who exists: users, tenants, memberships, API tokens, and the audit log of what they did."""

import hashlib
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.crypto import salted_hmac

from tenancy.ids import new_id
from tenancy.managers import PlatformManager, TenantManager


class Identified(models.Model):
    """A row with a UUIDv7 key and its time of creation."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True


class PlatformOwned(Identified):
    """A row of the platform itself; what tenants may read of it is granted table by table."""

    class Meta:
        abstract = True


class TenantOwned(Identified):
    """A row of exactly one tenant: scoped manager in Python, row-level security in PostgreSQL."""

    tenant = models.ForeignKey("tenancy.Tenant", on_delete=models.PROTECT, related_name="+")
    objects = TenantManager()

    class Meta:
        abstract = True


class TenantOrPlatformOwned(Identified):
    """A row of one tenant, or of the platform where `tenant` is null; a tenant never sees the latter."""

    tenant = models.ForeignKey("tenancy.Tenant", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    objects = TenantManager()

    class Meta:
        abstract = True


class UserManager(BaseUserManager["User"]):
    """Creates users; e-mail addresses are compared without case.

    Password hashes stay behind: tenants' processes may not select the column, so it is loaded only where it is read.
    """

    def get_queryset(self) -> models.QuerySet["User"]:
        return super().get_queryset().defer("password")

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person. `is_staff` marks a platform administrator, which is apart from every tenant role."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    _stamp: str | None = None

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return self.email

    @property
    def session_stamp(self) -> str:
        """A hash of the password's hash: changes with it, so that changing the password ends all sessions."""
        return self._stamp or hashlib.sha256(self.password.encode()).hexdigest()

    @session_stamp.setter
    def session_stamp(self, stamp: str) -> None:
        self._stamp = stamp

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(raw_password)
        self._stamp = None

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        return salted_hmac("tenancy.User.session", self.session_stamp, secret=secret, algorithm="sha256").hexdigest()


class Tenant(PlatformOwned):
    """A team with its own streams, models, members, budget and quota."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"

    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=120)
    domain = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.ACTIVE)

    objects = PlatformManager()

    def __str__(self) -> str:
        return self.slug


class Role(models.TextChoices):
    """Tenant roles, from the most to the least powerful; see the role table in `tenancy.roles`."""

    OWNER = "owner"
    ENGINEER = "engineer"
    VIEWER = "viewer"
    BILLING = "billing"


class Membership(TenantOwned):
    """A user's role in a tenant."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="membership_tenant_user")]

    def __str__(self) -> str:
        return f"{self.role} {self.user_id}"


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


class AuditEntry(TenantOrPlatformOwned):
    """One row per change, written in the change's own transaction; append-only by database permission."""

    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    actor_label = models.CharField(max_length=254)
    token_prefix = models.CharField(max_length=12, blank=True)
    action = models.CharField(max_length=60)
    target_type = models.CharField(max_length=40)
    target_id = models.CharField(max_length=64, blank=True)
    before = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["tenant", "-created_at"], name="audit_tenant_created")]

    def __str__(self) -> str:
        return f"{self.action} {self.target_id}"


class SignInAttempt(models.Model):
    """Failed sign-ins of one e-mail address from one network address; the key is a hash of both."""

    key = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    window_started_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True, blank=True)

    objects = PlatformManager()

    def __str__(self) -> str:
        return self.key
