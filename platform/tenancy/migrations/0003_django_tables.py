"""Privileges on the tables of Django, its admin site and the schedule: tenants' processes get sessions and nothing else."""

from django.conf import settings
from django.db import migrations

from tenancy.rls import Grant

PLATFORM_ONLY = [
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_admin_log",
    "django_celery_beat_clockedschedule",
    "django_celery_beat_crontabschedule",
    "django_celery_beat_intervalschedule",
    "django_celery_beat_periodictask",
    "django_celery_beat_periodictasks",
    "django_celery_beat_solarschedule",
    "django_content_type",
    "tenancy_user_groups",
    "tenancy_user_user_permissions",
]


class Migration(migrations.Migration):
    dependencies = [
        ("tenancy", "0002_walls"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        *(Grant(table) for table in PLATFORM_ONLY),
        Grant("django_session", app="SELECT, INSERT, UPDATE, DELETE"),
        Grant("django_migrations", app="SELECT", platform="SELECT"),
    ]
