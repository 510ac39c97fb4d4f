"""keepalived: the text it reads (``config``) and the arithmetic of what it does (``timers``). Both
are pure.
"""
