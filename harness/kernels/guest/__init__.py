"""What runs inside the guest before and beside the program: pid 1, its streams, its clock."""
