"""What every app's `api.py` builds on: the protected viewsets, errors, pagination, idempotency. Stands just above tenancy."""
