"""What every app's `api.py` builds on: protected viewsets, errors, pages, idempotency. Stands just above tenancy."""
