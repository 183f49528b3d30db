"""Names that people give and others read: no characters that hide, reorder or break the text around them."""

import unicodedata

from tenancy.errors import Invalid

_REFUSED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories: control and format characters (bidirectional overrides are among them), line separators."""


def clean_name(text: str, *, field: str = "name") -> str:
    """Return the name in NFC without outer blanks, or raise `Invalid` if it is empty or holds unseen characters."""
    name = unicodedata.normalize("NFC", text).strip()
    bad = next((char for char in name if unicodedata.category(char) in _REFUSED), None)
    if bad is not None:
        raise Invalid(
            "name_unseen_characters",
            f"The {field} holds a character that cannot be seen (U+{ord(bad):04X}).",
            "Use letters, digits, blanks and punctuation.",
            field=field,
        )
    if not name:
        raise Invalid("name_empty", f"The {field} is empty.", "Give it at least one visible character.", field=field)
    return name


def readable_name(text: str) -> str:
    """Return a name that somebody else says, "" where `clean_name` would refuse it."""
    try:
        return clean_name(text)
    except Invalid:
        return ""
