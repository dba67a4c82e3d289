"""Bytes of a file -> what is in it, found before a pixel is decoded: one file for each format."""
