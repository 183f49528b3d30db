"""Who exists: users, tenants, memberships, tokens, ways to sign in, and the audit log of what they did."""

from tenancy.models.audit import AuditEntry
from tenancy.models.base import Identified, PlatformOwned, TenantOrPlatformOwned, TenantOwned
from tenancy.models.deletion import TenantDeletion
from tenancy.models.export import TenantExport
from tenancy.models.people import Membership, Role, Tenant, User, UserManager
from tenancy.models.signin import (
    Identity,
    IdentityDomain,
    IdentityProvider,
    PasswordReset,
    RecoveryCode,
    SecondFactor,
    SignInAttempt,
)
from tenancy.models.tokens import ApiToken, Invitation, InvitationManager, TokenManager

__all__ = [
    "ApiToken",
    "AuditEntry",
    "Identified",
    "Identity",
    "IdentityDomain",
    "IdentityProvider",
    "Invitation",
    "InvitationManager",
    "Membership",
    "PasswordReset",
    "PlatformOwned",
    "RecoveryCode",
    "Role",
    "SecondFactor",
    "SignInAttempt",
    "Tenant",
    "TenantDeletion",
    "TenantExport",
    "TenantOrPlatformOwned",
    "TenantOwned",
    "TokenManager",
    "User",
    "UserManager",
]
