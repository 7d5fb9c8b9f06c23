"""Rows, written by a migration and removed when it is undone."""

from django.db import migrations


def fill(apps, editor):
    Store = apps.get_model("shop", "Store")
    Store.objects.bulk_create(Store(name=f"store {i}", slug=f"s{i}", code=str(i)) for i in range(10))
    assert Store.objects.filter(code="7").get().slug == "s7"


def empty(apps, editor):
    apps.get_model("shop", "Store").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_code")]
    operations = [migrations.RunPython(fill, empty)]
