"""How is SQLite used where many write at once? By Django's own backend, in turns."""
