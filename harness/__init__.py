"""The LVS harness: LVS-DR clusters as code, on the real keepalived, ipvsadm and Apache httpd.

PYTEST_DONT_REWRITE: in the embedded kernel this package is imported before pytest is, which pytest
would complain of.
"""
