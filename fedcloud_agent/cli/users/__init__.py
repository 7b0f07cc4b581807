"""``fedcloud-agent users``: a module for each command, and for each of the things that they do."""
