"""What the computer gives and what it refuses: disk, names, cores, memory."""
