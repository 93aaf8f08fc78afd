"""What is under /api/? All that the pages do, by the same functions and for the same roles, but people and tokens.

A token that leaked must not make others, so people and tokens are for the pages alone.
"""

from __future__ import annotations

from importlib.metadata import version

from ninja import NinjaAPI
from ninja.operation import Operation

from bespoke.studio.api import (
    audit,
    catalogues,
    comparisons,
    errors,
    exports,
    jobs,
    kpi,
    limits,
    lists,
    models,
    pictures,
    policy,
    previews,
    reviews,
    trainings,
    uploads,
)
from bespoke.studio.api.bearer import ByToken, described


class _Api(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Names for the functions of generated clients."""
        return operation.view_func.__name__


api = _Api(
    title="Bespoke studio",
    version=version("bespoke"),
    description="Catalogues, trainings, models, orders, pictures, reviews, exports, rules, figures and the audit log.",
    auth=ByToken(),
    urls_namespace="api",
    docs_decorator=described,
)
errors.tell(api)
for part in (
    catalogues,
    uploads,
    trainings,
    models,
    limits,
    comparisons,
    jobs,
    lists,
    previews,
    pictures,
    reviews,
    exports,
    policy,
    kpi,
    audit,
):
    api.add_router("", part.router)
