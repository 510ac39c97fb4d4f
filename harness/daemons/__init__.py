"""The real daemons: what they are started with, how to tell that they are ready, what they say when
they are not.
"""
