"""stub"""
from pathlib import Path
def publish(project, seen, findings): return Path("x")
