"""A real OpenStack on loopback, from Debian's own packages: what the agent's accounting is measured against.

Keystone, placement, glance, neutron and nova with a hypervisor that only pretends; MariaDB and RabbitMQ below them. All
of it lives in one temporary directory, runs as whoever starts it, and is gone when the tests are.

``layout`` says where everything is, ``settings`` what each service is told, ``packages`` what is unpacked rather than
installed, ``servers`` how each service runs, ``lab`` in which order they come up, ``person`` what people do with the
cloud, ``site`` how the agent is set up and what it sent.
"""
