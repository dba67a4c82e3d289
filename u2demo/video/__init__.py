"""Clip <-> frames: reading, masks that are steady over time, writing."""
