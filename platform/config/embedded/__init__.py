"""PostgreSQL and Valkey from wheels, and the processes that run beside them on one machine; without root,
Docker or services."""
