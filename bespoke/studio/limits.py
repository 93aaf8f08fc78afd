"""How much may be asked for at once? The same for page and API. Knows neither Django nor torch."""

from __future__ import annotations

LONGEST_TEXT = 1000  # characters
MOST_IMAGES = 10  # of one job, as OpenAI's API has it
MOST_CANDIDATES = 64  # best_of
LARGEST_SEED = 2**53 - 1  # as in the pipeline
BALANCES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of which a preview is drawn
MOST_WAITING = 100  # jobs in the queue; then the next is refused, with a time to come back
MOST_ROWS = 1000  # of a list that is ordered at once
MOST_LISTS = 5  # that one person may have waiting
MOST_LIST_BYTES = 8 * 2**20  # of its file
RETRY_SECONDS = 10
MOST_PICTURE_BYTES = 20 * 2**20  # of a picture to be edited, or its mask
MOST_EDIT_BYTES = 2 * MOST_PICTURE_BYTES + 2**20  # of the whole request
USUAL_STRENGTH = 0.7  # of an edit, as in the pipeline


def text_problem(text: str) -> str:
    """What is wrong with a text that is to be drawn; empty where nothing is."""
    if not text.strip():
        return "empty; say what to draw"
    if len(text) > LONGEST_TEXT:
        return f"{len(text)} characters; at most {LONGEST_TEXT} are read"
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        return "holds a character that is none; write it again"
    return ""
