"""What may templates ask of the gates?"""
