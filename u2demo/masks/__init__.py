"""What a mask is, and its edge."""
