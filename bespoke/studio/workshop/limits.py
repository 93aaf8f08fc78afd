"""How much may an upload hold? Knows neither Django nor Pillow."""

from __future__ import annotations

MOST_UPLOAD_BYTES = 4 * 2**30  # of one request
MOST_FILES = 5000  # of one request; more go into a zip
MOST_PICTURES = 100_000  # of one catalogue
MOST_FILE_BYTES = 64 * 2**20  # of one picture or spreadsheet
MOST_UNPACKED_BYTES = 16 * 2**30  # of all zips of an upload together
MOST_PIXELS = 40_000_000  # of one picture; more do not fit the memory that its decoder gets
LONGEST_SIDE = 1024  # pixels of the shorter side of what is kept: four times what the largest model draws
MOST_CAPTIONS, LONGEST_CAPTION = 20, 1000  # of one picture; characters of one caption

PICTURE_SECONDS, TABLE_SECONDS = 5, 120  # of computing, for one of them
DECODER_BYTES = 400 * 2**20  # that a decoder may take on top of its libraries
PATIENCE_SECONDS = 600.0  # for an answer of a decoder on a machine that is busy with other things

TABLE_SUFFIXES = (".csv", ".xlsx", ".jsonl")
