"""How the workshop's tables came to be."""
