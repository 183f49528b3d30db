"""Forms here take no files: without this, whoever forges a form fills the disk with one before the form is refused."""

from typing import Any, NoReturn

from django.core.files.uploadhandler import FileUploadHandler, StopUpload


class NoFiles(FileUploadHandler):
    """Ends the reading of a body at the first file in it; the rest is not even received."""

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse it."""
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep nothing."""

    def file_complete(self, file_size: int) -> None:
        """Make no file."""
