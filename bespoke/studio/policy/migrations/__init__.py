"""How did the lists' tables become what they are? Written by `makemigrations`."""
