"""What stands in inside/ runs in a project's environment: test_handoff.py sees to it."""

collect_ignore = ["inside"]
