"""The part of a budget from which on its action is taken."""

import django.core.validators
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("budgets", "0011_ledger_newest")]

    operations = [
        migrations.AddField(
            model_name="budget",
            name="act_percent",
            field=models.PositiveSmallIntegerField(
                default=100,
                help_text="the action is taken once this part of the amount is spent, in percent",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(100),
                ],
            ),
        ),
        migrations.AddConstraint(
            model_name="budget",
            constraint=models.CheckConstraint(
                condition=Q(act_percent__gte=1) & Q(act_percent__lte=100), name="budget_act_percent_1_to_100"
            ),
        ),
    ]
