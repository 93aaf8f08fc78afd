"""How do people who never type a command work with a model? The web studio and its REST API, a Django app."""
