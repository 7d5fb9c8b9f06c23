from django.conf import settings
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
from django.db import migrations, models
import django.db.models.constraints
import django.db.models.deletion
import uuid


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Label',
            fields=[
                ('word', models.CharField(max_length=40, primary_key=True, serialize=False)),
            ],
        ),
        migrations.CreateModel(
            name='Store',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True)),
                ('slug', models.SlugField(default='')),
                ('kind', models.CharField(choices=[('kiosk', 'Kiosk'), ('shop', 'Shop')], default='shop', max_length=10)),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), default=list, size=None)),
                ('settings', models.JSONField(default=dict)),
                ('hours', django.contrib.postgres.fields.ranges.IntegerRangeField(null=True)),
                ('opened', models.DateField(null=True)),
                ('address', models.GenericIPAddressField(null=True)),
                ('manager', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Order',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('total', models.DecimalField(decimal_places=2, max_digits=10)),
                ('paid', models.BooleanField(default=False)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('took', models.DurationField(null=True)),
                ('receipt', models.BinaryField(default=b'')),
                ('labels', models.ManyToManyField(to='shop.Label')),
                ('store', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='orders', to='shop.store')),
            ],
            options={
                'ordering': ['number'],
            },
        ),
        migrations.AddIndex(
            model_name='store',
            index=django.contrib.postgres.indexes.GinIndex(fields=['settings'], name='store_settings'),
        ),
        migrations.AddIndex(
            model_name='store',
            index=models.Index(fields=['kind', '-name'], name='store_kind'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('paid', False)), fields=['-total'], name='order_total_desc'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['DEFERRED'], fields=('store', 'number'), name='order_once'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.UniqueConstraint(condition=models.Q(('number', 0)), fields=('store',), name='order_first'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(check=models.Q(('total__gte', 0)), name='order_total'),
        ),
    ]
