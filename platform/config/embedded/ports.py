"""Which ports the platform answers on, and a sentence when somebody else has them."""

import socket

from config.embedded.account import ServerError


def require_free(host: str, port: int, variable: str) -> None:
    """Raise ServerError with a port that is free when `port` is not."""
    if not 0 < port < 65536:
        raise ServerError(f"{variable}={port} is not a port. Choose a number from 1024 to 65535.")
    try:
        _bind(host, port)
    except PermissionError:
        raise ServerError(
            f"Port {port} needs root. Choose one above 1023: {variable}={port + 8000 if port < 1024 else 8000}"
        ) from None
    except OSError as problem:
        other = next(
            (p for p in range(port + 10, min(port + 1000, 65535), 10) if _free(host, p) and _free(host, p + 1)),
            port + 10,
        )
        raise ServerError(
            f"Port {port} on {host} is in use ({problem.strerror}). Choose another: {variable}={other} make demo"
        ) from None


def _bind(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        # As the web server does: a port whose last connections are still winding down counts as free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))


def _free(host: str, port: int) -> bool:
    try:
        _bind(host, port)
    except OSError:
        return False
    return True
