"""What the commands do. cli.py parses; these modules call the library and print, and load torch only when asked to."""
