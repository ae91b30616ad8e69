"""Signs that a source is unofficial, in its location."""

import re
from enum import StrEnum


class UnofficialSign(StrEnum):
    """Why data looks unofficial, as messages name it."""

    SPREADSHEET = "a spreadsheet"
    PERSONAL_DRIVE = "on a personal drive"
    SCRAPED_PAGE = "a scraped page"


_PATTERNS = {
    UnofficialSign.SPREADSHEET: r"\.(xlsx?|xlsm|ods)$|docs\.google\.com/spreadsheets",
    UnofficialSign.PERSONAL_DRIVE: (
        r"^(/home/|/Users/|~|[A-Za-z]:/)|/content/drive|(drive|docs)\.google\.com"
        r"|dropbox\.com|1drv\.ms|-my\.sharepoint\.com|OneDrive"
    ),
    UnofficialSign.SCRAPED_PAGE: r"^https?://[^?]*(\.html?|/)$",
}


def unofficial_sign(location: str, function: str = "") -> UnofficialSign | None:
    """The sign by which data looks unofficial, None if there is none."""
    if function == "read_html":
        return UnofficialSign.SCRAPED_PAGE
    return next((sign for sign, pattern in _PATTERNS.items() if re.search(pattern, location)), None)
