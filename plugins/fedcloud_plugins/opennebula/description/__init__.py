"""What an OpenNebula offers to the federation: read from its pools, and mapped by pure functions."""
