"""Version 1 of the API: the addresses of all apps in one table, and the views that belong to no other app."""
