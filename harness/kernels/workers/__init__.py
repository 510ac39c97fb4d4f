"""Guests for the workers of pytest-xdist, on this machine and on others."""
