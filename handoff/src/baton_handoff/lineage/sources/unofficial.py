"""Signs that a source is unofficial, in its location."""

import re

_SIGNS = {
    "a spreadsheet": r"\.(xlsx?|xlsm|ods)$|docs\.google\.com/spreadsheets",
    "on a personal drive": (
        r"^(/home/|/Users/|~|[A-Za-z]:/)|/content/drive|(drive|docs)\.google\.com"
        r"|dropbox\.com|1drv\.ms|-my\.sharepoint\.com|OneDrive"
    ),
    "a scraped page": r"^https?://[^?]*(\.html?|/)$",
}


def unofficial_sign(location: str, function: str = "") -> str | None:
    """The sign by which data looks unofficial, None if there is none."""
    if function == "read_html":
        return "a scraped page"
    return next((sign for sign, pattern in _SIGNS.items() if re.search(pattern, location)), None)
