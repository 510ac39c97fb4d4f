"""FRRouting's vrrpd: its configuration, its arithmetic and what it says of itself (pure)."""
