"""Certificates: distinguished names, key pairs, S/MIME signatures."""
