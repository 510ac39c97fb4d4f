"""What the kernel's IPVS is documented to do, as pure functions: which real server a connection
goes to.
"""
