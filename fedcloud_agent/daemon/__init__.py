"""The daemon: decides when, starts children, tells systemd; holds no business logic."""
