"""From a notebook to production: what in exploratory code has to change, and how."""
