"""Loading of agent.yaml and conf.d, errors that name file, line and column, samples and reference from one table."""
