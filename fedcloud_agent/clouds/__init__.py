"""The contract between the agent and any cloud, and how plugins that keep it are found."""
