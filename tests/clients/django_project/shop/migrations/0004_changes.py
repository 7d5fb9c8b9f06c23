"""Columns and tables that change their type and name and go; all of it can be undone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_fill")]
    operations = [
        migrations.AlterField("store", "code", models.TextField(db_index=True, default="0")),
        migrations.AlterField("store", "code", models.TextField(default="0")),
        migrations.RunSQL("ALTER TABLE shop_store ALTER COLUMN code TYPE integer USING code::integer",
                          "ALTER TABLE shop_store ALTER COLUMN code TYPE text"),
        migrations.RenameField("store", "code", "rank"),
        migrations.RemoveField("store", "rank"),
        migrations.CreateModel("Passing", [("id", models.AutoField(primary_key=True)), ("n", models.SmallIntegerField(unique=True))]),
        migrations.RenameModel("Passing", "Gone"),
        migrations.AlterModelTable("Gone", "shop_gone_too"),
        migrations.AlterField("gone", "n", models.BigIntegerField(null=True)),
        migrations.DeleteModel("Gone"),
    ]
