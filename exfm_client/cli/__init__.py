"""The command `exfm`."""
