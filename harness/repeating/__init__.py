"""Many runs, compared with each other: of one seed, and of many."""
