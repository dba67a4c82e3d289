"""argv -> runs: the command line."""
