"""What happens on the host while a guest runs: the kernel process, its guard, the relay."""
