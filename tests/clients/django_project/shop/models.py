"""What the project keeps: stores, their orders, and labels of orders."""

import uuid

from django.contrib.auth.models import User
from django.contrib.postgres.fields import ArrayField, IntegerRangeField
from django.contrib.postgres.indexes import GinIndex
from django.db import models


class Store(models.Model):
    class Kind(models.TextChoices):
        KIOSK = "kiosk"
        SHOP = "shop"

    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(db_index=True, default="")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.SHOP)
    tags = ArrayField(models.CharField(max_length=20), default=list)
    settings = models.JSONField(default=dict)
    hours = IntegerRangeField(null=True)
    opened = models.DateField(null=True)
    manager = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        indexes = [GinIndex(fields=["settings"], name="store_settings"), models.Index(fields=["kind", "-name"], name="store_kind")]


class Label(models.Model):
    word = models.CharField(max_length=40, primary_key=True)


class Order(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="orders")
    number = models.PositiveIntegerField()
    total = models.DecimalField(max_digits=10, decimal_places=2)
    paid = models.BooleanField(default=False)
    at = models.DateTimeField(auto_now_add=True)
    took = models.DurationField(null=True)
    receipt = models.BinaryField(default=b"")
    labels = models.ManyToManyField(Label)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "number"], name="order_once", deferrable=models.Deferrable.DEFERRED),
            models.UniqueConstraint(fields=["store"], condition=models.Q(number=0), name="order_first"),
            models.CheckConstraint(check=models.Q(total__gte=0), name="order_total")]
        indexes = [models.Index(fields=["-total"], name="order_total_desc", condition=models.Q(paid=False))]
        ordering = ["number"]
