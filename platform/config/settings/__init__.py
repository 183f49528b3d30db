"""Settings: `base` collects one file per concern; `local`, `test` and `production` say what differs."""
