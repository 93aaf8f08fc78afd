"""Which pictures does somebody look for?"""

from __future__ import annotations

from django.db.models import QuerySet

from bespoke.studio.models import Picture

LONGEST_SEARCH, MOST_WORDS = 200, 10


def search(wanted: str) -> QuerySet[Picture]:
    """The pictures whose text holds every word, the newest first; those drawn to compare models are left out."""
    pictures = Picture.objects.filter(job__trial=False).select_related("job__model", "job__edit")
    for word in wanted[:LONGEST_SEARCH].split()[:MOST_WORDS]:
        pictures = pictures.filter(job__text__icontains=word)
    return pictures
