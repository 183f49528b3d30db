"""The main job, end to end, as a stranger's script would run it: through the public API and real workers."""
