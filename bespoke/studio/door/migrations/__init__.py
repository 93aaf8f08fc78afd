"""How did the door's table become what it is? Written by `makemigrations`."""
