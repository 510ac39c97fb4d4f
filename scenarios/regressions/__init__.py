"""Bugs of keepalived, one a file: each says what should be, in which versions it is not, and
how that shows.
"""
