"""Language models: one request, one response, whoever the provider is."""
