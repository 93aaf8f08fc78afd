"""What does the studio hold on one person, and how is a person erased without losing what they did?

Deeds, pictures and figures refer to people by number. Erasing takes away what tells who that number was; the row of the
person stays under a pseudonym, so the audit log, in which there are no names, still holds to the byte.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Model, Q, QuerySet

from bespoke.errors import UserError
from bespoke.studio.audit import record
from bespoke.studio.audit.models import Entry
from bespoke.studio.door.throttle import forget
from bespoke.studio.models import Edit, Picture

ERASED = "erased "  # a name cannot have a space, so no living person is called that
SECRETS = {"password", "digest"}  # hashes that prove who somebody is; no answer to a question about data


def find(name: str) -> User:
    """The person of this name. Raises UserError where there is none."""
    if (found := User.objects.filter(username=name).first()) is None:
        raise UserError(f"{name!r}: nobody of that name; the page People has all names")
    return found


def told_of(user: User) -> dict[str, Any]:
    """Everything in the database that points to a person: table to rows, secrets left out.

    The tables come from the models themselves, so that one which is added later is not forgotten. Files are named as
    they lie under `pictures/` and `catalogues/`.
    """
    tables: dict[str, list[dict[str, Any]]] = {"auth.user": _rows(User.objects.filter(pk=user.pk))}
    for relation in User._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and not relation.many_to_many:
            table, by = relation.related_model, relation.field.name
            known = tables.setdefault(table._meta.label_lower, [])
            known += [row for row in _rows(table._default_manager.filter(**{by: user})) if row not in known]
    tables["studio.picture"] = _rows(Picture.objects.filter(job__owner=user))
    tables["studio.edit"] = _rows(Edit.objects.filter(job__owner=user))
    tables["audit.entry"] = _rows(Entry.objects.filter(Q(actor_id=user.pk) | Q(subject=f"user {user.pk}")))
    tables["sessions.session"] = [{"expire_date": session.expire_date} for session in _sessions(user)]
    groups = list(user.groups.order_by("name").values_list("name", flat=True))
    return {"person": user.get_username(), "roles": groups, "tables": {k: v for k, v in tables.items() if v}}


@transaction.atomic
def erase(user: User) -> str:
    """Make a person nobody: no name, e-mail, password, token, session or role. Returns the pseudonym.

    Raises UserError for somebody who is erased already, and for the last administrator.
    """
    administrators = User.objects.select_for_update().filter(is_active=True, groups__name="administrator")
    others = [each for each in administrators.order_by("pk") if each.pk != user.pk]
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.username.startswith(ERASED):
        raise UserError(f"{user.username!r}: is erased already")
    if not others and user.is_active and user.groups.filter(name="administrator").exists():
        raise UserError(f"{user.username}: the last administrator; make another one under People first")
    forget(user.username)
    sessions, tokens = _sessions(user), list(user.tokens.all())
    for session in sessions:
        session.delete()
    for token in tokens:
        token.delete()
    user.groups.clear()
    user.username = f"{ERASED}{user.pk}"
    user.first_name = user.last_name = user.email = ""
    user.last_login, user.is_active = None, False
    user.set_unusable_password()
    user.save()
    record(None, "person.erased", user, sessions=len(sessions), tokens=len(tokens))
    return user.username


def _sessions(user: User) -> list[Session]:
    """Sessions name their person inside what they hold, so that each has to be opened."""
    key = str(user.pk)
    return [each for each in Session.objects.iterator() if each.get_decoded().get("_auth_user_id") == key]


def _rows(found: QuerySet[Any]) -> list[dict[str, Any]]:
    table: type[Model] = found.model
    names = [field.attname for field in table._meta.concrete_fields if field.name not in SECRETS]
    return list(found.order_by("pk").values(*names))
