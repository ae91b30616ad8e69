"""Template-owned: settings of notebooks, which `uv run poe setup` copies for all editors."""

c = get_config()  # type: ignore[name-defined]  # noqa: F821 (IPython gives it)
c.InteractiveShellApp.extensions = ["autoreload"]
c.InteractiveShellApp.exec_lines = ["%autoreload 2"]
