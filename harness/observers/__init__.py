"""What records: observers start before the first daemon, are driven by events only, and never
judge.
"""
