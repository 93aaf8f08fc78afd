"""How did the review's tables become what they are? Written by `makemigrations`."""
