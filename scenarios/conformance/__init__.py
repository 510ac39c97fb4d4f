"""VRRP rule by rule: what RFC 3768 and RFC 9568 say of a packet, and what a director does with
it.
"""
