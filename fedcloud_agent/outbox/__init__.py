"""A durable queue of what must leave the machine, and the transports that carry it."""
