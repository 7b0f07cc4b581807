"""fedcloud-agent: one agent that joins a cloud site to the EGI Federated Cloud."""

__version__ = "0.1.0"
