"""Python client of the ExFM API, and the command `exfm`. Needs httpx and PyYAML alone.

from exfm_client import Client

with Client("https://exfm.example.com", token="exfm_…") as exfm:
    for model in exfm.models.list():
        print(model["name"], model["lift"]["value"])
"""

from exfm_client.client import Client
from exfm_client.errors import ApiProblem, ExfmClientError

__all__ = ["ApiProblem", "Client", "ExfmClientError"]
