"""Two functions of sign-in give less away.

Nobody proves an address when an account is made by an invitation's link, and whoever made the invitation holds the link.
The first proof is a provider that speaks for the domain: from then on the password of before opens the account no more.
An administrator's password is changed by the platform's role alone: a tenants' process may read one hash at a time.
"""

from importlib import import_module

from django.db import migrations

from tenancy.rls import PLATFORM, replaced

BEFORE = import_module("tenancy.migrations.0005_access_walls")

ENDS_IT = """        RETURN;
    ELSE
        UPDATE public.tenancy_user SET password = unusable WHERE id = person.id;
    END IF;
    INSERT INTO public.tenancy_identity"""
KEPT_IT = """        RETURN;
    END IF;
    INSERT INTO public.tenancy_identity"""

WHO_ASKS = "CASE current_setting('role') WHEN 'none' THEN session_user::text ELSE current_setting('role') END"
FOR_PEOPLE = f"AND NOT is_service AND (NOT is_staff OR {WHO_ASKS} = '{PLATFORM}')"


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0005_access_walls")]

    operations = [
        *replaced(
            "exfm_adopt_identity(uuid, uuid, text, text, text, uuid, text)",
            old=BEFORE.ADOPT_IDENTITY,
            new=BEFORE.ADOPT_IDENTITY.replace(KEPT_IT, ENDS_IT),
        ),
        *replaced(
            "exfm_change_password(uuid, text, text)",
            old=BEFORE.SWAPS_THE_HASH,
            new=BEFORE.SWAPS_THE_HASH.replace("AND NOT is_service", FOR_PEOPLE),
        ),
    ]
