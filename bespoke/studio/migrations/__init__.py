"""How did the studio's tables become what they are? Written by `makemigrations`."""
