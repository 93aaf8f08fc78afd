"""What may templates ask of the lists?"""
