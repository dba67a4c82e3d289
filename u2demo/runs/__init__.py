"""Photos on disk -> pictures on disk, resumable."""
