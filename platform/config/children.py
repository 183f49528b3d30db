"""What processes that compute may know of the process that starts them: no address and no secret of the platform."""

import os
from pathlib import Path
from typing import Final

import exfm_core

INHERITED: Final = (
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "LD_PRELOAD",
    "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED",
)  # fmt: skip
"""What a child may know of its parent's environment: no address and no secret of database, broker or site."""
S3: Final = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
)  # fmt: skip
"""What a child that trains or scores also needs where the storage is S3. Readers of strangers' files never get it."""


def clean_environment(threads: int, storage: str = "") -> dict[str, str]:
    """Return the environment of a child that computes with `threads` threads and opens `storage` by itself."""
    names = (*INHERITED, *S3) if storage.startswith(("s3://", "s3a://")) else INHERITED
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return kept | {
        "PYTHONPATH": str(Path(exfm_core.__path__[0]).parent),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        # Threads that spin while they wait would take the cores of the other runs.
        "OMP_WAIT_POLICY": "passive",
    }
