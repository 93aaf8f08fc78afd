"""How did the exports' tables become what they are? Written by `makemigrations`."""
