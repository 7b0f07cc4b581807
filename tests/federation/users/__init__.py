"""What stands for Perun, and for a cloud with accounts, where both have to be seen from several processes."""
