"""page <-> training: pairs in, a net of your own out."""
