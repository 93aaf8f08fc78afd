"""What may be asked for, and what must be said with every picture? Lists that administrators keep."""
