"""How does a generated picture become one that may be published?"""
