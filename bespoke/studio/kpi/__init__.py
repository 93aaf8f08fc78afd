"""What does it come to? Revisions, time and cost of pictures that may be published."""
