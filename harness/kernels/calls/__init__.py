"""Linux system calls that Python does not offer, and what processes give up by them."""
