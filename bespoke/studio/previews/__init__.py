"""What does a model say to a text that is still being typed? Words it does not know, and pictures that nobody keeps."""
