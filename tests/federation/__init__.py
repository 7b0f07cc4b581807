"""A federation in a box: the peers of a site, each a server in a process of its own; demo and tests share it."""
