from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def look_again(apps: Any, editor: Any) -> None:
    """Whether a model can edit is seen when it is looked into, and that happens when its stamp is another."""
    apps.get_model("studio", "TrainedModel").objects.exclude(stamp="").update(stamp="?")


class Migration(migrations.Migration):
    dependencies = [
        ("studio", "0002_promotion_and_trials"),
    ]

    operations = [
        migrations.CreateModel(
            name="Edit",
            fields=[
                (
                    "job",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="edit",
                        serialize=False,
                        to="studio.job",
                    ),
                ),
                ("file", models.CharField(max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("source", models.CharField(blank=True, max_length=1000)),
                ("strength", models.FloatField()),
                ("mask", models.CharField(blank=True, max_length=200)),
                ("new_words", models.JSONField(default=list)),
                ("old_words", models.JSONField(default=list)),
            ],
        ),
        migrations.AddField(
            model_name="trainedmodel",
            name="edits",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(look_again, migrations.RunPython.noop),
    ]
