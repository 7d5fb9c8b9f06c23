"""The settings of the small project that script.py drives: the database is the URL in CLIENT_URL."""

import os
from urllib.parse import parse_qsl, unquote, urlsplit

_url = urlsplit(os.environ["CLIENT_URL"])

SECRET_KEY = "for tests alone"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "django.contrib.postgres", "shop"]
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": _url.path[1:], "HOST": _url.hostname, "PORT": _url.port, "USER": unquote(_url.username or ""),
    "PASSWORD": unquote(_url.password or ""),
    "OPTIONS": dict(parse_qsl(_url.query)) | {"options": "-c search_path=client_django"}}}
