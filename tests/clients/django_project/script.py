#!/usr/bin/python3
"""Django: the migrations of a small project forward and back, the ORM, transactions and locks, JSON, arrays, inspectdb, errors."""

import datetime
import decimal
import io
import os
import pathlib
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from cases import Cases  # noqa: E402

case = Cases("Django")
os.environ["CLIENT_URL"] = case.url()
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"

import django  # noqa: E402

django.setup()

from django.contrib.auth.models import Permission, User  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.contrib.postgres.aggregates import ArrayAgg, BoolOr, StringAgg  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, DataError, ProgrammingError, connection, models, transaction  # noqa: E402
from django.db.models import (Avg, Case, Count, Exists, F, Max, Min, OuterRef, Prefetch, Q, StdDev, Subquery, Sum, Value,  # noqa: E402
                              When, Window)
from django.db.models.functions import (Cast, Coalesce, Concat, ExtractYear, Length, Lower, Now, Rank, RowNumber, Substr,  # noqa: E402
                                        TruncMonth, Upper)
from django.db.models.fields.json import KeyTextTransform, KeyTransform  # noqa: E402
from shop.models import Label, Order, Store  # noqa: E402


def failed(kind, sqlstate, call):
    """Runs `call` in a savepoint; it must fail so."""
    try:
        with transaction.atomic():
            call()
    except kind as error:
        assert error.__cause__.pgcode == sqlstate, error.__cause__
        return
    raise AssertionError(f"SQLSTATE {sqlstate} expected, but it was accepted")


def command(*arguments, **options):
    out = io.StringIO()
    call_command(*arguments, stdout=out, verbosity=options.pop("verbosity", 0), **options)
    return out.getvalue()


@case
def migrations_run_back_and_forward():
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS client_django CASCADE; CREATE SCHEMA client_django")
    command("migrate")
    assert "[X] 0004_changes" in command("showmigrations", "shop")
    assert Store.objects.count() == 10
    command("migrate", "shop", "zero")
    assert "shop_store" not in connection.introspection.table_names()
    command("migrate")
    command("migrate", check_unapplied=True)
    command("makemigrations", check=True, dry_run=True)
    command("check", databases=["default"])
    assert 'CREATE TABLE "shop_order"' in command("sqlmigrate", "shop", "0001")
    command("flush", interactive=False)


@case
def contributed_applications_work():
    boss = User.objects.create_user("boss", "boss@example.com", "secret")
    assert boss.check_password("secret") and Permission.objects.filter(content_type__app_label="shop").count() == 12
    boss.user_permissions.add(Permission.objects.get(codename="add_store"))
    assert User.objects.get(pk=boss.pk).has_perm("shop.add_store")
    session = SessionStore()
    session["cart"] = [1, 2]
    session.save()
    assert SessionStore(session.session_key)["cart"] == [1, 2]
    assert ContentType.objects.get_for_model(Store).model_class() is Store


@case
def rows_of_every_field_come_back():
    boss = User.objects.get(username="boss")
    north = Store.objects.create(name="North", kind=Store.Kind.KIOSK, tags=["a", "b,c"], settings={"open": {"from": 8}, "days": ["mo", "tu"], "x": None},
                                 hours=(8, 20), opened=datetime.date(2024, 2, 29), manager=boss, address="10.0.0.1")
    Store.objects.bulk_create([Store(name="South", settings={"open": {"from": 9}}), Store(name="O'Hare 100%", opened=datetime.date(2023, 1, 1))])
    north.refresh_from_db()
    assert (north.tags, north.hours.lower, north.address, north.settings["days"][1]) == (["a", "b,c"], 8, "10.0.0.1", "tu")
    made = Order.objects.bulk_create(
        [Order(store=Store.objects.get(name=name), number=i, total=decimal.Decimal(i) / 4, took=datetime.timedelta(seconds=i), receipt=bytes([i % 256]))
         for name in ("North", "South") for i in range(200)], batch_size=150)
    order = Order.objects.get(pk=made[7].pk)
    assert (order.total, order.took, bytes(order.receipt), order.at.tzinfo is not None) == (decimal.Decimal("1.75"), datetime.timedelta(seconds=7), b"\7", True)


@case
def rows_are_found():
    names = lambda *q, **f: list(Store.objects.filter(*q, **f).order_by("name").values_list("name", flat=True))  # noqa: E731
    assert names(name__iexact="NORTH") == names(name__startswith="No") == names(name__regex="^N") == ["North"]
    assert names(name__contains="100%") == names(Q(name__icontains="o'h")) == ["O'Hare 100%"]
    assert names(~Q(name__in=["North"]) & Q(opened__isnull=False)) == ["O'Hare 100%"]
    assert names(opened__year=2024, opened__month=2) == names(opened__range=("2024-01-01", "2024-12-31")) == ["North"]
    assert names(tags__contains=["a"]) == names(tags__len=2) == names(tags__0="a") == names(tags__overlap=["a", "z"]) == ["North"]
    assert names(hours__contains=10) == names(hours__overlap=(0, 9)) == names(hours__startswith=8) == ["North"]
    assert names(orders__number=3, orders__total__lt=1) == ["North", "South"]
    assert names(manager__username="boss") == ["North"]
    assert Order.objects.filter(took__gt=datetime.timedelta(seconds=190)).count() == 18
    assert [order.number for order in Order.objects.filter(store__name="South").order_by("-number")[10:13]] == [189, 188, 187]
    assert Order.objects.filter(at__lte=Now(), at__date__gte=datetime.date(2024, 1, 1)).count() == 400
    assert list(Order.objects.dates("at", "year")) and Order.objects.latest("at").pk and Order.objects.first().number == 0
    assert len(Order.objects.in_bulk(list(Order.objects.values_list("pk", flat=True)[:5]))) == 5
    assert Store.objects.distinct("kind").order_by("kind", "name").count() == 2


@case
def json_is_asked():
    names = lambda **f: sorted(Store.objects.filter(**f).values_list("name", flat=True))  # noqa: E731
    assert names(settings__open__from=8) == names(settings__days__0="mo") == names(settings__contains={"open": {"from": 8}}) == ["North"]
    assert names(settings__open__from__gt=8) == ["South"]
    assert names(settings__has_key="days") == names(settings__has_any_keys=["days", "q"]) == names(settings__x=None) == ["North"]
    assert names(settings__has_keys=["open", "days"]) == names(settings__x__isnull=False) == ["North"]
    started = Store.objects.annotate(start=Cast(KeyTextTransform("from", KeyTransform("open", "settings")), models.IntegerField()))
    assert list(started.filter(start__gt=7).order_by("start").values_list("start", flat=True)) == [8, 9]


@case
def aggregates_groups_and_windows():
    total = Order.objects.aggregate(n=Count("*"), sum=Sum("total"), avg=Avg("total"), low=Min("number"), high=Max("number"), spread=StdDev("number"))
    assert (total["n"], total["sum"], total["avg"], total["low"], total["high"]) == (400, decimal.Decimal("9950.00"), decimal.Decimal("24.875"), 0, 199)
    grouped = list(Store.objects.annotate(n=Count("orders"), paid=Count("orders", filter=Q(orders__number__lt=10)), sum=Coalesce(Sum("orders__total"), Value(0, models.DecimalField())))
                   .filter(n__gt=0).order_by("name").values_list("name", "n", "paid", "sum"))
    assert grouped == [("North", 200, 10, decimal.Decimal("4975.00")), ("South", 200, 10, decimal.Decimal("4975.00"))], grouped
    by_month = Order.objects.annotate(month=TruncMonth("at"), year=ExtractYear("at")).values("month", "year").annotate(n=Count("pk")).order_by()
    assert sum(row["n"] for row in by_month) == 400
    tops = Order.objects.annotate(place=Window(RowNumber(), partition_by=[F("store")], order_by=F("total").desc()),
                                  rank=Window(Rank(), order_by=F("number").asc()), run=Window(Sum("total"), order_by=F("number").asc()))
    assert [(o.number, o.place) for o in tops.filter(store__name="North").order_by("-number")[:2]] == [(199, 1), (198, 2)]
    newest = Order.objects.filter(store=OuterRef("pk")).order_by("-number")
    annotated = Store.objects.annotate(last=Subquery(newest.values("number")[:1]), any=Exists(newest)).order_by("name").values_list("name", "last", "any")
    assert list(annotated) == [("North", 199, True), ("O'Hare 100%", None, False), ("South", 199, True)], list(annotated)
    lists = Store.objects.filter(orders__number__lt=3).values("name").annotate(
        numbers=ArrayAgg("orders__number", ordering="-orders__number"), words=StringAgg(Cast("orders__number", models.TextField()), "-", ordering="orders__number", output_field=models.TextField()),
        paid=BoolOr("orders__paid")).order_by("name")
    assert lists[0] == {"name": "North", "numbers": [2, 1, 0], "words": "0-1-2", "paid": False}, lists[0]


@case
def functions_cases_and_sets():
    row = Store.objects.annotate(low=Lower("name"), up=Upper("name"), n=Length("name"), part=Substr("name", 2, 3), both=Concat("name", Value("/"), "kind"),
                                 size=Case(When(name="North", then=Value(1)), default=Value(2), output_field=models.IntegerField())).get(name="North")
    assert (row.low, row.up, row.n, row.part, row.both, row.size) == ("north", "NORTH", 5, "ort", "North/kiosk", 1)
    union = Store.objects.filter(name="North").values_list("name").union(Label.objects.values_list("word"), Store.objects.filter(name="South").values_list("name"))
    assert sorted(union) == [("North",), ("South",)]
    assert list(Store.objects.values_list("name").difference(Store.objects.exclude(name="North").values_list("name"))) == [("North",)]
    assert Store.objects.raw("SELECT id, name, %s AS extra FROM shop_store WHERE name = %s", ["e", "North"])[0].extra == "e"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shop_order WHERE number = ANY(%s)", [[1, 2, 3]])
        assert cursor.fetchone() == (6,)
    assert Store.objects.filter(name="North").explain()


@case
def rows_are_changed_and_removed():
    assert Order.objects.filter(number__lt=10).update(paid=True, total=F("total") + 1) == 20
    store, made = Store.objects.get_or_create(name="West", defaults={"slug": "w"})
    assert made and not Store.objects.get_or_create(name="West")[1]
    store, made = Store.objects.update_or_create(name="West", defaults={"slug": "west"})
    assert not made and Store.objects.get(slug="west").pk == store.pk
    orders = list(Order.objects.filter(store__name="South", number__gte=190))
    for order in orders:
        order.total = order.number
    Order.objects.bulk_update(orders, ["total"])
    assert Order.objects.filter(total__gte=190).count() == 10
    Store.objects.bulk_create([Store(name="West"), Store(name="East")], ignore_conflicts=True)
    Store.objects.get(name="East").orders.create(number=0, total=1)
    assert Store.objects.filter(name="East").delete() == (2, {"shop.Order": 1, "shop.Store": 1})
    User.objects.all().delete()
    assert Store.objects.get(name="North").manager is None


@case
def many_belong_to_many():
    order = Order.objects.filter(store__name="North").first()
    order.labels.add(*Label.objects.bulk_create([Label(word=word) for word in ("hot", "dog", "bun")]))
    order.labels.remove(Label(word="bun"))
    assert sorted(order.labels.values_list("word", flat=True)) == ["dog", "hot"]
    stores = Store.objects.prefetch_related(Prefetch("orders", Order.objects.filter(number__lt=2).prefetch_related("labels"))).order_by("name")
    assert [[label.word for o in store.orders.all() for label in o.labels.order_by("word")] for store in stores][0] == ["dog", "hot"]
    assert Order.objects.select_related("store__manager").get(labels__word="hot").store.name == "North"


@case
def transactions_nest_and_call_back():
    called = []
    with transaction.atomic():
        Label.objects.create(word="kept")
        transaction.on_commit(lambda: called.append("committed"))
        try:
            with transaction.atomic():
                Label.objects.all().delete()
                raise KeyError
        except KeyError:
            pass
        point = transaction.savepoint()
        Label.objects.create(word="dropped")
        transaction.savepoint_rollback(point)
    assert called == ["committed"] and sorted(Label.objects.values_list("word", flat=True)) == ["bun", "dog", "hot", "kept"]
    with transaction.atomic():            # a deferred constraint is asked at the end
        first, second = Order.objects.filter(store__name="South", number__in=(1, 2))
        for order, number in ((first, second.number), (second, first.number)):
            order.number = number
            order.save(update_fields=["number"])


@case
def rows_are_locked():
    with transaction.atomic():
        mine = Order.objects.select_for_update(of=("self",)).select_related("store").filter(store__name="North").order_by("number").first()
        found = {}

        def other():
            try:
                with transaction.atomic():
                    found["skipped"] = Order.objects.select_for_update(skip_locked=True).filter(store__name="North").order_by("number").first().number
                    found["free"] = Order.objects.select_for_update(no_key=True, of=("self",)).get(store__name="South", number=5).number
                    failed(django.db.OperationalError, "55P03", lambda: Order.objects.select_for_update(nowait=True).get(pk=mine.pk))
                    found["refused"] = True
            finally:
                connection.close()
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(30)
    assert found == {"skipped": mine.number + 1, "free": 5, "refused": True}, found


@case
def large_answers_come_through_cursors():
    assert sum(1 for _ in Order.objects.iterator(chunk_size=70)) == 400
    with transaction.atomic():
        numbers = Order.objects.values_list("number", flat=True).iterator(chunk_size=50)
        assert sum(numbers) == 2 * sum(range(200))


@case
def errors_are_told_apart():
    north = Store.objects.get(name="North")
    failed(IntegrityError, "23505", lambda: Store.objects.create(name="North"))
    failed(IntegrityError, "23505", lambda: Order.objects.create(store=north, number=5, total=1))
    failed(IntegrityError, "23514", lambda: Order.objects.create(store=north, number=5000, total=-1))
    failed(IntegrityError, "23503", lambda: Order.objects.create(store_id=-1, number=1, total=1))
    failed(IntegrityError, "23502", lambda: Order.objects.create(store=north, number=None, total=1))
    failed(DataError, "22001", lambda: Store.objects.create(name="x" * 81))
    failed(DataError, "22003", lambda: Order.objects.filter(number=1).update(number=2**31))
    failed(ProgrammingError, "42P01", lambda: connection.cursor().execute("SELECT * FROM no_such_table"))


@case
def inspectdb_writes_the_models():
    text = command("inspectdb", "shop_store", "shop_order", "shop_order_labels")
    for line in ("class ShopStore(models.Model):", "name = models.CharField(unique=True, max_length=80)", "id = models.UUIDField(primary_key=True)",
                 "order = models.ForeignKey(ShopOrder, models.DO_NOTHING)", "total = models.DecimalField(max_digits=10, decimal_places=2)",
                 "at = models.DateTimeField()", "paid = models.BooleanField()", "settings = models.JSONField()",
                 "address = models.GenericIPAddressField(blank=True, null=True)", "receipt = models.BinaryField()",
                 "unique_together = (('order', 'label'),)", "took = models.DurationField(blank=True, null=True)"):
        assert line in text, (line, text)
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "shop_order")
        assert constraints["order_total"]["check"] and constraints["order_once"]["unique"] and constraints["order_total_desc"]["orders"] == ["DESC"]
        assert connection.introspection.get_sequences(cursor, "shop_store")[0]["column"] == "id"
    command("sqlsequencereset", "shop")
    with connection.cursor() as cursor:
        cursor.execute(command("sqlsequencereset", "shop", no_color=True))


@case
def fixtures_are_dumped_and_loaded():
    path = pathlib.Path(tempfile.gettempdir()) / f"client_django_{os.getpid()}.json"
    try:
        path.write_text(command("dumpdata", "shop"))
        before = Order.objects.aggregate(n=Count("*"), sum=Sum("total"))
        command("flush", interactive=False)
        assert Order.objects.count() == 0
        command("loaddata", str(path))
        assert Order.objects.aggregate(n=Count("*"), sum=Sum("total")) == before
    finally:
        path.unlink(missing_ok=True)


@case
def all_goes():
    command("migrate", "shop", "zero")
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA client_django CASCADE")


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    status = case.run()
    connection.close()
    sys.exit(status)
