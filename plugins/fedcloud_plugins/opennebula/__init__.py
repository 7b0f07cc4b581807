"""OpenNebula 3.2 to 7.x, over its XML-RPC interface."""
