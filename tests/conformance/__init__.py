"""What "a connector" means, as tests: inherit `ConnectorConformance` and describe a `Subject`."""
