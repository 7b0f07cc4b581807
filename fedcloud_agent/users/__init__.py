"""Accounts that follow Perun: what it says of people, what is done about it, and why."""
