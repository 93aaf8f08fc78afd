"""What does Django need to know? Everything follows from a home folder and five variables of the environment."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from bespoke.errors import UserError
from bespoke.studio.audit import keys
from bespoke.studio.home import DATABASE, HOST, STORAGE, URL, Home
from bespoke.studio.storage import configured
from bespoke.studio.workshop.limits import MOST_FILES

HOME = Home.from_environment()
SECRET_KEY = HOME.read_key()
AUDIT_USE = keys.Use(HOME.folder)  # as long as this process knows them, nobody changes them
AUDIT_KEY, AUDIT_OLD_KEYS = keys.read(HOME.folder)
DEBUG = False

# From 3.7.0 to 3.51.2 a write and a checkpoint at the same instant could lose what was committed to the WAL.
WAL_IS_SAFE = sqlite3.sqlite_version_info >= (3, 51, 3)


def _database() -> dict[str, Any]:
    url = os.environ.get(DATABASE)
    if url and urlsplit(url).scheme not in ("postgres", "postgresql"):
        raise UserError(f"--database {urlsplit(url).scheme}://...: expected postgresql://USER:PASSWORD@HOST/NAME")
    if url:
        try:
            return dict(dj_database_url.parse(url, conn_health_checks=True))
        except (ValueError, ImproperlyConfigured) as error:
            raise UserError("--database: not an address; expected postgresql://USER:PASSWORD@HOST/NAME") from error
    journal = "WAL" if WAL_IS_SAFE else "DELETE"
    return {
        "ENGINE": "bespoke.studio.sqlite",
        "NAME": HOME.database,
        "TURN": HOME.turn,
        "OPTIONS": {
            "init_command": f"PRAGMA journal_mode={journal}; PRAGMA synchronous=FULL;",
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",  # a write that begins with a read must not find itself too late
        },
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STORAGES = {
    "default": configured(os.environ.get(STORAGE, ""), HOME.pictures),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Who may call, and under which address. Behind a proxy with TLS the address begins with https.
_public = urlsplit(os.environ.get(URL, ""))
_https = _public.scheme == "https"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *{os.environ.get(HOST) or "localhost"} - {"0.0.0.0", "::"}]
if _public.hostname:
    ALLOWED_HOSTS.append(_public.hostname)
    CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _https
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "bespoke_session", "bespoke_csrf"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _https else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2**20  # without files, which only the workshop takes
DATA_UPLOAD_MAX_NUMBER_FILES = MOST_FILES

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "ninja",  # its pages of documentation, from this machine
    "bespoke.studio.apps.StudioConfig",
    "bespoke.studio.audit.apps.AuditConfig",
    "bespoke.studio.workshop.apps.WorkshopConfig",
    "bespoke.studio.door.apps.DoorConfig",
    "bespoke.studio.policy.apps.PolicyConfig",
    "bespoke.studio.review.apps.ReviewConfig",
    "bespoke.studio.exports.apps.ExportsConfig",
    "bespoke.studio.kpi.apps.KpiConfig",
]
MIDDLEWARE = [
    "bespoke.studio.logs.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "bespoke.studio.headers.Headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "bespoke.studio.access.Access",
    "bespoke.studio.errors.NoStorage",
]
ROOT_URLCONF = "bespoke.studio.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bespoke.studio.pages.frame",
            ],
        },
    }
]
STATIC_URL = "/static/"
CSRF_FAILURE_VIEW = "bespoke.studio.errors.no"

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}}]
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "login", "home", "login"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ja", "日本語")]
LOCALE_PATHS = [Path(__file__).parent / "locale"]
USE_TZ, TIME_ZONE = True, "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"traces": {"()": "django.utils.log.CallbackFilter", "callback": lambda record: record.exc_info}},
    "formatters": {"json": {"()": "bespoke.studio.logs.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"filters": ["traces"]},  # every request has its line already
        "uvicorn.access": {"level": "WARNING"},
        "botocore": {"level": "WARNING"},  # else it says of each process where its credentials are from
    },
}
