"""How did the figures' table become what it is? Written by `makemigrations`."""
