"""Files <-> RGB images."""
