"""How does a studio survive the loss of its disk? By one file that holds all of it, made while the studio runs."""
