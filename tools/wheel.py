"""Build the engine's wheel, which every project receives in standards/.

The same sources give the same bytes, whatever their folder, times and modes. Files are stored, not
compressed, so that git keeps each version as its difference from the one before.

`python tools/wheel.py` writes it; with `--check` it exits 1 if the wheel differs from a new build
of handoff/.
"""

import hashlib
import io
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).resolve().parent.parent
ENGINE = Path("handoff")
STANDARDS = Path("template/standards")
PYPROJECT = STANDARDS / "pyproject.toml"
SCHEMA = "practices.schema.json"

_WHEELS = "baton_handoff-*.whl"
_SOURCE = re.compile(r'^(baton-handoff = \{ path = ")[^"]*', re.MULTILINE)
_VERSION = re.compile(r'^(version = ")[^"]*', re.MULTILINE)


def wheel(root: Path) -> tuple[str, bytes]:
    """Build the engine.

    Its version ends in a hash of its sources (a local version, PEP 440). A project's lock stores
    the hash of a wheel by version, so `uv lock` would not detect new content of the same version.

    Args:
        root: The repository's folder.

    Returns:
        The wheel's name and content.
    """
    with tempfile.TemporaryDirectory() as folder:
        left_out = shutil.ignore_patterns("tests", ".*", "__pycache__")
        source = Path(shutil.copytree(root / ENGINE, Path(folder) / "engine", ignore=left_out))
        pyproject = source / "pyproject.toml"
        text = pyproject.read_text(encoding="utf-8")
        text = _VERSION.sub(rf"\g<0>+{_digest(source)}", text, count=1)
        pyproject.write_text(text, encoding="utf-8")
        build = [find_uv_bin(), "build", "--quiet", "--wheel", "--out-dir", folder]
        subprocess.run([*build, source], check=True)
        (built,) = Path(folder).glob("*.whl")
        return built.name, _stored(built)


def _digest(source: Path) -> str:
    """Return eight hexadecimal digits that identify the content of a folder."""
    digest = hashlib.sha256()
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(source).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:8]


def files(root: Path) -> dict[Path, bytes]:
    """Return the content of all files that derive from the engine, by path in the repository."""
    name, content = wheel(root)
    version = name.split("-")[1]
    (schema,) = (root / ENGINE / "src").rglob(SCHEMA)
    text = (root / PYPROJECT).read_text(encoding="utf-8")
    text = _SOURCE.sub(rf"\g<1>{name}", text)
    text = _VERSION.sub(rf"\g<1>{version}", text, count=1)
    return {
        STANDARDS / name: content,
        STANDARDS / "handoff.schema.json": schema.read_bytes(),
        PYPROJECT: text.encode(),
    }


def stale(root: Path) -> list[Path]:
    """Return the outdated paths, including wheels of earlier versions."""
    wanted = files(root)
    other = [path for path in _wheels(root) if path not in wanted]
    changed = [
        path
        for path, content in wanted.items()
        if not (root / path).is_file() or (root / path).read_bytes() != content
    ]
    return [*changed, *other]


def write(root: Path) -> None:
    """Write the files that derive from the engine, and remove the wheels of earlier versions."""
    wanted = files(root)
    for path in _wheels(root):
        if path not in wanted:
            (root / path).unlink()
    for path, content in wanted.items():
        (root / path).write_bytes(content)


def _wheels(root: Path) -> list[Path]:
    return [path.relative_to(root) for path in (root / STANDARDS).glob(_WHEELS)]


def _stored(built: Path) -> bytes:
    """Return the wheel's files sorted and uncompressed, with one time and one mode."""
    packed = io.BytesIO()
    with zipfile.ZipFile(built) as source, zipfile.ZipFile(packed, "w") as target:
        for name in sorted(source.namelist()):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            target.writestr(entry, source.read(name))
    return packed.getvalue()


def main() -> None:
    """Write the files, or with `--check` only compare them."""
    if "--check" not in sys.argv[1:]:
        write(ROOT)
    elif paths := stale(ROOT):
        sys.exit(f"Not what handoff/ builds: {', '.join(map(str, paths))}. Run `make wheel`.")


if __name__ == "__main__":
    main()
