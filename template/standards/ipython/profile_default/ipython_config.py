"""Template-owned: settings of every notebook that `uv run poe explore` starts."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821 (IPython gives it)
c.InteractiveShellApp.extensions = ["autoreload"]
c.InteractiveShellApp.exec_lines = ["%autoreload 2"]
