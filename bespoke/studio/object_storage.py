"""How do pictures lie in an object store? Behind Django's interface, as on a disk: S3, or what speaks like it.

Endpoint, region and credentials come from where every program for S3 has them: the environment or ~/.aws.
"""

from __future__ import annotations

import errno
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage

from bespoke.studio.storage import StorageError

# A page that shows a picture must not wait for minutes where nobody answers.
ASKING = Config(connect_timeout=4, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})
MISSING = ("404", "NoSuchKey")
TOLD = {
    "NoSuchBucket": "there is no such bucket; make it first, or name another",
    "InvalidAccessKeyId": "does not know the access key; see AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "does not take the secret key; see AWS_SECRET_ACCESS_KEY",
    "AccessDenied": "not allowed; the key needs ListBucket, GetObject, PutObject and DeleteObject there",
}
TOLD |= {"403": TOLD["AccessDenied"]}  # an answer without a body


class ObjectStorage(Storage):
    """Pictures in a bucket; what it has saved is in the store before `save` returns. Threads may share it."""

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""
        self._address = f"s3://{bucket}/{prefix}".rstrip("/")

    def __str__(self) -> str:
        return self._address

    @cached_property
    def _client(self) -> Any:
        return boto3.session.Session().client("s3", config=ASKING)  # of threads, one client; a session is of one

    @contextmanager
    def _asking(self, name: str) -> Iterator[dict[str, str]]:
        """Ask for one object. Raises FileNotFoundError, and StorageError where there is no answer to that."""
        try:
            yield {"Bucket": self._bucket, "Key": self._prefix + name}
        except ClientError as error:
            told = error.response.get("Error", {})
            code = str(told.get("Code", ""))
            if code in MISSING:
                raise FileNotFoundError(errno.ENOENT, "not in the storage", name) from error
            said = TOLD.get(code) or f"{code}: {told.get('Message', '')}"
            raise StorageError(f"{self._address}: {said}") from error
        except NoCredentialsError as error:
            told = "no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            raise StorageError(f"{self._address}: {told}") from error
        except (BotoCoreError, ValueError) as error:  # the address of an endpoint that is none is a ValueError
            told = f"cannot be reached ({' '.join(str(error).split())[:200]}); see AWS_ENDPOINT_URL_S3"
            raise StorageError(f"{self._address}: {told}") from error

    def _open(self, name: str, mode: str = "rb") -> File:
        with self._asking(name) as asked:
            return ContentFile(self._client.get_object(**asked)["Body"].read(), name)

    def _save(self, name: str, content: File) -> str:
        content.seek(0)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        with self._asking(name) as asked:
            self._client.put_object(**asked, Body=content.read(), ContentType=kind)
        return name

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name itself: all names of ours are new, and asking whether one is taken would cost a request."""
        return name

    def delete(self, name: str) -> None:
        """Delete a picture; one that is gone already is no error."""
        with self._asking(name) as asked:
            self._client.delete_object(**asked)

    def exists(self, name: str) -> bool:
        """Whether a picture is there."""
        try:
            with self._asking(name) as asked:
                self._client.head_object(**asked)
        except FileNotFoundError:
            return False
        return True

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Names of folders and of pictures that begin with `path`; none where there is no such folder."""
        start = self._prefix + (f"{path}/" if path else "")
        folders, files = [], []
        with self._asking(path):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=start, Delimiter="/"):
                folders += [found["Prefix"][len(start) : -1] for found in page.get("CommonPrefixes", ())]
                files += [found["Key"][len(start) :] for found in page.get("Contents", ()) if found["Key"] != start]
        return folders, files
