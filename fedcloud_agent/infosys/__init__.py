"""The information system: what the site offers, as GLUE 2 entries that brokers and portals of the federation read."""
