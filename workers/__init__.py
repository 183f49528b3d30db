"""Where the platform and the child processes of `exfm_core` meet: Celery tasks and attempt supervisors. Torch-free."""
