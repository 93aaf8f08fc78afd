"""How does an approved picture leave, and what goes with it?"""
