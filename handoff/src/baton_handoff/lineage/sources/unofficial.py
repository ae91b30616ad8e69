"""What a source looks like, by where it lies: nobody offers a spreadsheet on somebody's drive."""

import re

_SIGNS = {
    "a spreadsheet": r"\.(xlsx?|xlsm|ods)$|docs\.google\.com/spreadsheets",
    "on a personal drive": (
        r"^(/home/|/Users/|~|[A-Za-z]:/)|/content/drive|(drive|docs)\.google\.com"
        r"|dropbox\.com|1drv\.ms|-my\.sharepoint\.com|OneDrive"
    ),
    "a scraped page": r"^https?://[^?]*(\.html?|/)$",
}


def unofficial(where: str, how: str = "") -> str:
    """By what a place looks unofficial, empty where it doesn't.

    Args:
        where: A path, an address or a table.
        how: The function that reads it.
    """
    if how == "read_html":
        return "a scraped page"
    return next((kind for kind, sign in _SIGNS.items() if re.search(sign, where)), "")
