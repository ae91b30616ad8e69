"""Template-owned: what every notebook of `uv run poe explore` begins with."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821 (IPython gives it)
c.InteractiveShellApp.extensions = ["autoreload"]
c.InteractiveShellApp.exec_lines = ["%autoreload 2"]
