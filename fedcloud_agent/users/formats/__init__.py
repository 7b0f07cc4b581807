"""What Perun's services write: a reader for each of their formats. Pure."""
