"""How did the tables of the audit log become what they are? Written by `makemigrations`."""
