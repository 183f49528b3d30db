"""The platform's API at size: 1,000 tenants, 20,000 models, 200,000 runs and 20 million metric points."""
