"""Users, tenants, and who belongs where."""

import hashlib
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.crypto import salted_hmac

from tenancy.ids import new_id
from tenancy.managers import PlatformManager
from tenancy.models.base import PlatformOwned, TenantOwned


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
    """A person, or a tenant's service account. `is_staff` marks a platform administrator, apart from every role."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_service = models.BooleanField(default=False, help_text="not a person: acts by tokens alone, never signs in")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    _stamp: str | None = None
    proof: str = ""
    """What the sign-in under way showed besides a password (`second_factor.Proof`); not stored."""

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return self.email

    @property
    def label(self) -> str:
        """What stands in the audit log and beside tokens: a person's address, a service account's name."""
        return label_of(is_service=self.is_service, name=self.name, email=self.email)

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
        ERASED = "erased"

    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=120)
    domain = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.ACTIVE)
    requires_second_factor = models.BooleanField(default=False, help_text="of members who come by session")

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
        return f"{self.user}, {self.role} of {self.tenant}"


def label_of(*, is_service: bool, name: str, email: str) -> str:
    """Return what stands for an account wherever one is named; see `User.label`."""
    return f"service account {name}" if is_service else email
