from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from bespoke.studio.access import RESOURCES, ROLES, ROUTES, may
from bespoke.studio.models import Batch, Edit, Job, Picture, Token, TrainedModel
from bespoke.studio.tokens import make_token

Visitor = Callable[[str], Client]
POSTED = {"logout", "set_language", "register", "revoke", "person", "audit-verify", "v1:generate", "v1:edit"}
POSTED |= {"version-check", "version-captions", "training-stop", "training-resume"}
POSTED |= {"words", "preview", "vary", "batch-cancel", "batch-propose", "batch-export"}
POSTED |= {"evaluate", "promote", "roll-back", "audience"}
POSTED |= {"propose", "review-decide", "review-many", "review-withdraw", "gates-set", "export-make", "policy-remove"}


def names(patterns: list[Any], space: str = "") -> set[str]:
    found = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            found |= names(pattern.url_patterns, f"{space}{pattern.namespace}:" if pattern.namespace else space)
        elif isinstance(pattern, URLPattern) and pattern.name:
            found.add(space + pattern.name)
    return found


def test_the_table_of_access_holds_every_route_and_no_other() -> None:
    # The roots of the APIs only exist so that their addresses can be named.
    found = names(get_resolver().url_patterns) - {"api:api-root", "v1:api-root"}
    assert found == {route.partition(" ")[0] for route in ROUTES}


def test_every_operation_for_programs_asks_the_table() -> None:
    from bespoke.studio.api import openai, resources
    from bespoke.studio.api.bearer import ByToken

    operations = {}
    for space, api in (("v1", openai.api), ("api", resources.api)):
        for router in api._get_bound_routers():
            for view in router.path_operations.values():
                for operation in view.operations:
                    name = operation.url_name if space == "v1" else f"{operation.url_name} {operation.methods[0]}"
                    operations[f"{space}:{name}"] = operation
    described = {f"{space}:openapi-{kind}" for space in ("v1", "api") for kind in ("json", "view")}
    assert operations.keys() == {route for route in ROUTES if route.startswith(("v1:", "api:"))} - described
    for name, operation in operations.items():
        assert [type(each) for each in operation.auth_callbacks] == [ByToken], name
        assert len(operation.methods) == 1


@pytest.fixture
def things(visitor: Visitor, version: Any) -> dict[str, Any]:
    """Something of everything that a route can name."""
    from django.contrib.auth.models import User

    visitor("viewer")
    owner = User.objects.get(username="viewer")
    model = TrainedModel.objects.create(name="mugs", identity="abc", stamp="1", registered_at=timezone.now())
    job = Job.objects.create(owner=owner, model=model, text="a cup", num_images=1, balance=0.5, seed=1, best_of=1)
    picture = Picture.objects.create(job=job, number=0, file="none.png", sha256="", seed=1, alignment=0, model_name="")
    make_token(owner, "first")
    token = Token.objects.get()
    keys = {"job": job, "job-result": job, "picture": picture, "picture-file": picture, "register": model}
    keys |= {"revoke": token, "person": owner}
    Edit.objects.create(job=job, file="none.png", sha256="", strength=0.7, mask="none.png")
    batch = Batch.objects.create(owner=owner, name="cups.csv", rows=[])
    keys |= {"vary": picture, "picture-variations": picture}
    keys |= {name: batch for name in ROUTES if name.startswith("batch-")} | {"batch": batch}
    keys |= {"job-original": job, "job-mask": job, "picture-mask": picture}
    visitor("creator")
    creator = User.objects.get(username="creator")
    Batch.objects.update(owner=creator)  # only they and administrators may cancel it
    keys |= workshop_things(owner, model, version) | review_things(creator, model, picture)
    return keys | of_programs(keys, creator)


def of_programs(things: dict[str, Any], creator: Any) -> dict[str, Any]:
    """The same for routes of the API."""
    of = {"catalogue": things["version"].catalogue, "upload": things["upload-progress"]}
    of |= {name: things[name] for name in ("version", "training", "model", "comparison", "job", "picture")}
    of |= {"review": things["proposal"], "policy-rule": things["policy-remove"]}
    of |= {"list": things["batch"], "evaluation-report": things["evaluation-report"], "evaluations": things["model"]}
    kinds = sorted(of, key=len, reverse=True)
    found = {}
    for resource in RESOURCES:
        name = resource.partition(" ")[0]
        kind = next((kind for kind in kinds if name == kind or name.startswith(f"{kind}-")), None)
        if kind and name not in ("model-roll-back", "review-many"):
            found[f"api:{resource}"] = of[kind]
    asked = {"model": things["model"], "text": "a cup", "num_images": 1, "balance": 0.5, "seed": 1, "best_of": 1}
    return found | {"api:job-cancel POST": Job.objects.create(owner=creator, **asked)}  # only they may cancel it


def review_things(creator: Any, model: TrainedModel, picture: Picture) -> dict[str, Any]:
    from bespoke.studio.policy.policy import add
    from bespoke.studio.review import calibrations
    from bespoke.studio.review.review import propose

    proposal = propose([picture], creator)[0]
    calibration = calibrations.set_by_hand(model, creator, alignment=0, waived="")
    rule = add(creator, kind="warned", words="cup", sentence="", roles=[])
    of = dict.fromkeys(("proposal", "review-decide", "review-withdraw"), proposal)
    of |= {"gates-set": model, "training-picture": calibration, "policy-remove": rule}
    return of | {"recall": picture, "recall-exports": picture}


def workshop_things(owner: Any, model: TrainedModel, version: Any) -> dict[str, Any]:
    from bespoke.studio.workshop.models import Check, Comparison, Evaluation, Training, Upload

    told = {"owner": owner, "version": version}
    check = Check.objects.create(**told, fingerprint=version.fingerprint)
    training = Training.objects.create(**told, minutes=15, run="cups-v1")
    evaluation = Evaluation.objects.create(**told, model=model, identity="abc", split="validation")
    upload = Upload.objects.create(owner=owner, name="Plates")
    asked = {"texts": ["a cup"], "seed": 1, "balance": 0.5}
    comparison = Comparison.objects.create(pk=uuid.uuid4(), owner=owner, first=model, second=model, **asked)
    of = {"version": version, "train": version, "model": model, "evaluate": model, "promote": model, "audience": model}
    of |= {"upload-progress": upload, "upload-state": upload, "check-report": check, "evaluation-report": evaluation}
    of |= {f"version-{part}": version for part in ("state", "check", "pictures", "picture", "captions")}
    of |= {"training": training} | {f"training-{part}": training for part in ("state", "sheet", "stop", "resume")}
    return of | {"model-state": model, "comparison": comparison, "comparison-state": comparison}


@pytest.mark.parametrize("route", sorted(ROUTES))
@pytest.mark.parametrize("role", ["", *ROLES])
def test_a_role_may_call_what_the_table_says_and_nothing_else(
    route: str, role: str, things: dict[str, Any], visitor: Visitor
) -> None:
    rule, client = ROUTES[route], visitor(role)
    name, _, method = route.partition(" ")
    given = {"key": things[route].pk} if route in things else {}
    if name == "api:version-picture":
        given["name"] = "none.png"
    address = reverse(name, kwargs=given)
    headers = {}
    if rule.token and role:
        from django.contrib.auth.models import User

        headers = {"Authorization": f"Bearer {make_token(User.objects.get(username=role), 'test')}"}
    call = getattr(client, method.lower() or ("post" if route in POSTED else "get"))
    answer = call(address, headers=headers)
    sent_away = answer.status_code == 302 and answer["Location"].startswith(reverse("login"))
    if rule.public:
        assert answer.status_code in (200, 204, 302, 503)
    elif not role:
        assert (answer.status_code == 401) if rule.token else sent_away
    elif role in rule.roles:
        assert answer.status_code not in (401, 403)
        assert not sent_away
    else:
        assert answer.status_code == 403


def test_django_finds_nothing_wrong_and_the_tables_are_those_of_the_models(database: None) -> None:
    call_command("check", fail_level="WARNING")
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_what_is_not_in_the_table_is_refused(visitor: Visitor) -> None:
    assert not may(type("User", (), {"is_authenticated": True, "_roles": frozenset(ROLES)}), "elsewhere")
    assert visitor("administrator").get("/v1/").status_code in (403, 404)
    with pytest.raises(NoReverseMatch):
        reverse("admin:index")


def test_tokens_are_their_owners_alone(things: dict[str, Any], visitor: Visitor) -> None:
    address = reverse("revoke", kwargs={"key": things["revoke"].pk})
    assert "first" not in visitor("administrator").get(reverse("tokens")).content.decode()
    assert visitor("administrator").post(address).status_code == 404
    assert visitor("viewer").post(address).status_code == 302
    assert not Token.objects.exists()


def test_a_session_is_no_token_and_a_token_no_session(things: dict[str, Any], visitor: Visitor) -> None:
    token = make_token(things["person"], "second")
    assert visitor("administrator").get("/v1/models").status_code == 401
    assert Client().get("/gallery", headers={"Authorization": f"Bearer {token}"}).status_code == 302
    assert Client().get("/v1/models", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert Client().get("/v1/models", headers={"Authorization": f"Bearer {token}x"}).status_code == 401


def test_only_a_hash_of_a_token_is_kept(things: dict[str, Any]) -> None:
    token = make_token(things["person"], "second")
    kept = Token.objects.get(name="second")
    assert token.startswith("bsp_")
    assert len(token) > 40
    assert token[8:] not in repr(kept.__dict__)


def test_shutting_somebody_out_ends_session_and_tokens(things: dict[str, Any], visitor: Visitor) -> None:
    token, theirs = make_token(things["person"], "second"), visitor("viewer")
    assert theirs.get("/gallery").status_code == 200
    visitor("administrator").post(reverse("person", kwargs={"key": things["person"].pk}), {"role": ""})
    assert theirs.get("/gallery").status_code == 302
    assert Client().get("/v1/models", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_nobody_changes_their_own_role(visitor: Visitor) -> None:
    from django.contrib.auth.models import User

    client, me = visitor("administrator"), User.objects.get(username="administrator")
    client.post(reverse("person", kwargs={"key": me.pk}), {"role": "viewer"})
    assert client.get("/people").status_code == 200


def test_a_form_without_its_token_is_refused(visitor: Visitor) -> None:
    from django.contrib.auth.models import User

    visitor("administrator")
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="administrator"))
    for route in ("create", "tokens", "people", "logout", "set_language"):
        assert client.post(reverse(route)).status_code == 403, route


def test_pages_load_nothing_from_elsewhere_and_are_framed_by_nobody(visitor: Visitor) -> None:
    answer = visitor("viewer").get("/gallery")
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cache-Control"] == "no-store"


def test_nobody_is_sent_to_a_stranger_s_site_after_login(visitor: Visitor) -> None:
    from django.contrib.auth.models import User

    User.objects.create_user("ada", password="a-long-pass-phrase-9")
    asked = {"username": "ada", "password": "a-long-pass-phrase-9", "next": "https://example.org/"}
    assert Client().post("/login", asked)["Location"] == "/"
    assert Client().post("/language", {"language": "ja", "next": "https://example.org/"})["Location"] == "/"
