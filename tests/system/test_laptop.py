"""Set up fresh accounts on Debian for real: dry run, apply, apply again, drift, undo.

Each account has a computer of its own, a copy of this machine, where it may install packages.
GitHub and the marketplace of VS Code can't be reached here: a stand-in of `code` keeps a list of
extensions, and a role that a company adds has a tool from the package index.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from json5 import loads

from tests.baton import ROOT, files, run
from tools.roles import ROLES, laptop_files

PACKAGED = sorted(file.name.split(".")[1] for file in ROOT.glob("workstation/mise.*.toml"))
NAME = "newcomer"
UID = "4322"
BOOT = """
mount -t tmpfs tmpfs /tmp
for folder in etc usr var/lib var/cache; do
    mkdir -p "/tmp/$folder" "/tmp/overlay/$folder"
    layers="lowerdir=/$folder,upperdir=/tmp/$folder,workdir=/tmp/overlay/$folder"
    mount -t overlay overlay -o "$layers" "/$folder"
done
rm -f /var/lib/man-db/auto-update
dpkg --force-depends --purge $4 >/dev/null 2>&1 || [ -z "$4" ]
useradd --uid "$1" --home-dir "$2" --create-home --shell /bin/bash "$3"
echo "$3 ALL=(ALL) NOPASSWD: ALL" >"/etc/sudoers.d/$3"
echo up
exec cat
"""
CODE = """#!/bin/sh
list=$HOME/.extensions
while [ "$#" -gt 0 ]; do
    case $1 in
    --list-extensions) cat "$list" 2>/dev/null ;;
    --install-extension) echo "$2" >>"$list"; shift ;;
    --uninstall-extension) sed -i "/^$2\\$/d" "$list"; shift ;;
    esac
    shift
done
"""
USED = {
    ".gitconfig": (
        "[user]\n\tname = Ada\n[init]\n\tdefaultBranch = trunk\n[credential]\n\thelper =\n"
    ),
    ".bashrc": "alias ll='ls -l'\n",
    ".extensions": "charliermarsh.ruff\nsomebody.theme\n",
    ".config/Code/User/settings.json": (
        '// mine\n{\n    "files.insertFinalNewline": false, // on purpose\n'
        '    "[python]": { "editor.tabSize": 4, },\n}\n'
    ),
}
"""Files of a person who has used the account before."""

SETTINGS = ".config/Code/User/settings.json"


@dataclass(frozen=True)
class Account:
    """A person's account on a computer of its own."""

    process: str
    folder: Path

    @property
    def home(self) -> Path:
        """The home folder."""
        return self.folder / "home"

    def root(self, *command: str) -> None:
        """Run a command as the computer's administrator."""
        run(["nsenter", f"--target={self.process}", "--mount", "--pid", *command], ROOT)

    def run(
        self, *command: str | Path, network: bool = True, typing: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this person."""
        enter = ["nsenter", f"--target={self.process}", "--mount", "--pid"]
        alone = [] if network else ["unshare", "--net"]
        user = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--init-groups"]
        path = f"PATH={self.folder / 'programs'}:/usr/local/bin:/usr/bin:/bin"
        trust = [f"{name}={value}" for name, value in os.environ.items() if "SSL_CERT" in name]
        environment = ["env", "--ignore-environment", path, f"HOME={self.home}", *trust]
        whole = [*enter, *alone, *user, *environment, *command]
        return run(whole, ROOT, check=False, typing=typing)

    def setup(
        self, *arguments: str, code: int = 0, network: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run setup.sh; assert its exit code."""
        script = self.folder / "workstation/setup.sh"
        done = self.run(script, *arguments, network=network)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def use(self) -> None:
        """Make it an account that was used before."""
        for name, content in USED.items():
            (self.home / name).parent.mkdir(parents=True, exist_ok=True)
            (self.home / name).write_text(content, encoding="utf-8")
        run(["chown", "--recursive", f"{UID}:{UID}", self.home], ROOT)

    def files(self) -> dict[str, bytes]:
        """Return the person's files, without caches and what mise notes for itself."""
        own = (".cache/", ".local/share/", ".local/state/mise/")
        return {name: text for name, text in files(self.home).items() if not name.startswith(own)}


@contextmanager
def _account(programs: Path, lacks: str) -> Iterator[Account]:
    with TemporaryDirectory(dir="/var/tmp", prefix="baton-laptop-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "programs").symlink_to(programs)
        shutil.copytree(ROOT / "workstation", folder / "workstation")
        boot = ("unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-euc", BOOT, "sh")
        with subprocess.Popen(
            (*boot, UID, folder / "home", NAME, lacks),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
            yield Account(children.split()[0], folder)


@pytest.fixture(scope="module")
def new_account(npm_commands: Path) -> Iterator[Callable[..., Account]]:
    """Yield a function that makes a fresh account on a computer which may lack a package."""
    with ExitStack() as stack:
        programs = Path(stack.enter_context(TemporaryDirectory(dir="/var/tmp")))
        programs.chmod(0o755)
        shutil.copy(npm_commands / "mise", programs)
        uv = shutil.which("uv")
        assert uv is not None
        shutil.copy(uv, programs)
        (programs / "code").write_text(CODE)
        for name in ("aws", "java", "terraform"):  # elsewhere from GitHub
            (programs / name).write_text("#!/bin/sh\n")
        for program in programs.iterdir():
            program.chmod(0o755)
        yield lambda lacks="": stack.enter_context(_account(programs, lacks))


@pytest.mark.parametrize("role", PACKAGED)
def test_a_fresh_account_is_set_up_once_and_restored(
    role: str, new_account: Callable[..., Account]
) -> None:
    account = new_account(lacks="less")
    fresh = account.files()
    proposed = account.setup(role, "--dry-run").stdout
    assert account.files() == fresh
    assert "apt:less" in proposed

    account.setup(role)
    assert account.run("less", "--version").returncode == 0
    shell = account.run("bash", "-ic", "type mise; git config init.defaultBranch")
    assert "mise is a function" in shell.stdout
    assert shell.stdout.endswith("main\n")
    done = account.files()
    assert "has everything" in account.setup(role).stdout
    assert account.files() == done
    account.setup(role, "status")
    trusted = f"MISE_TRUSTED_CONFIG_PATHS={account.folder}"
    plain = ("mise", "--cd", account.folder / "workstation", "--env", role)
    listed = account.run("env", trusted, *plain, "bootstrap", "packages", "status", "--missing")
    assert not listed.returncode, listed.stdout + listed.stderr
    assert not listed.stderr  # mise warns of keys and managers that it does not know

    settings = account.home / SETTINGS
    settings.write_text(re.sub(r".*insertFinalNewline.*\n", "", settings.read_text()))
    account.run("code", "--uninstall-extension", "ms-python.python")
    account.run("git", "config", "--global", "--unset", "init.defaultBranch")
    (account.home / ".bashrc").write_bytes(fresh[".bashrc"])
    account.root("dpkg", "--force-depends", "--purge", "less")
    drift = account.setup(role, "status", code=1).stdout
    assert [*map(str.strip, drift.splitlines())] == [
        "Shell, missing: ~/.bashrc",
        "Packages, missing: apt:less",
        "git, missing: init.defaultBranch = main",
        "VS Code extensions, missing: ms-python.python",
        "VS Code settings, missing: files.insertFinalNewline",
    ]

    account.setup(role)
    undone = account.setup(role, "undo").stdout
    assert "Packages, not removed (other programs may need them by now): apt:less" in undone
    left = account.files()
    assert left.pop(".gitconfig") == b""
    assert left.pop(".extensions") == b""
    assert left.pop(f"{SETTINGS}.bak")
    assert left == fresh
    assert "nothing to undo" in account.setup(role, "undo").stdout


def test_a_used_account_loses_nothing(new_account: Callable[..., Account]) -> None:
    account = new_account()
    account.use()
    unattended = account.setup(PACKAGED[0]).stdout
    assert 'Left for you to do: git config --global user.email "' in unattended
    # In a terminal; each other part is done, so nothing else reads what is typed.
    terminal = f"{account.folder}/workstation/setup.sh {PACKAGED[0]}"
    script = ("timeout", "60", "script", "--quiet", "--command", terminal, "/dev/null")
    typed = account.run(*script, typing="ada@example.com\n")
    assert "Your e-mail address for commits: " in typed.stdout
    assert "Your name" not in typed.stdout
    email = account.run("git", "config", "user.email").stdout
    assert email == "ada@example.com\n"
    account.run("git", "config", "--global", "--unset", "user.email")
    settings = loads((account.home / SETTINGS).read_text(encoding="utf-8"))
    assert settings["files.insertFinalNewline"] is False
    assert settings["[python]"]["editor.tabSize"] == 4
    assert settings["[python]"]["editor.formatOnSave"] is True
    assert (account.home / f"{SETTINGS}.bak").read_text(encoding="utf-8") == USED[SETTINGS]
    config = (account.home / ".gitconfig").read_text()
    assert config.startswith(USED[".gitconfig"])
    assert (
        "Your own values stay: files.insertFinalNewline"
        in account.setup(PACKAGED[0], "status").stdout
    )

    changed = (account.home / SETTINGS).read_text(encoding="utf-8").replace('"on"', '"relative"')
    (account.home / SETTINGS).write_text(changed, encoding="utf-8")
    undone = account.setup(PACKAGED[0], "undo").stdout
    assert "VS Code settings, not removed (changed since): notebook.lineNumbers" in undone
    (account.home / SETTINGS).write_text(
        re.sub(r' *"notebook.lineNumbers".*\n', "", (account.home / SETTINGS).read_text())
    )
    for name, content in USED.items():
        assert (account.home / name).read_text(encoding="utf-8") == content, name


def test_a_shell_that_starts_mise_already_stays(new_account: Callable[..., Account]) -> None:
    account = new_account()
    file = account.home / ".bashrc"
    file.rename(account.home / "bashrc-of-mine")
    file.symlink_to("bashrc-of-mine")  # mise does not write through a link
    refused = account.setup(PACKAGED[0], code=1).stderr
    assert re.fullmatch(
        r"Shell: ~/\.bashrc [^\n]+ is a symlink; edit the real file[^\n]+\n", refused
    )
    file.write_text(file.read_text() + 'eval "$(mise activate bash)"\n')
    account.setup(PACKAGED[0])


def test_a_company_adds_a_role_and_its_surroundings(
    new_account: Callable[..., Account], tmp_path: Path
) -> None:
    account = new_account()
    workstation = account.folder / "workstation"
    shutil.copytree(ROOT / ROLES, tmp_path / ROLES)
    (tmp_path / ROLES / "analyst.toml").write_text(
        '[[tools]]\ncommands = ["cowsay"]\npackages = { mise = "pypi:cowsay@6.1" }\n'
    )
    for file, text in laptop_files(tmp_path).items():
        (workstation / file.name).write_text(text, encoding="utf-8")
    company = 'NO_PROXY = "localhost,.example.com"\n'
    (workstation / "company.toml").write_text(f"[env]\n{company}[settings]\njobs = 3\n")

    account.setup("analyst")
    shell = account.run("bash", "-ic", "cowsay -t hello; echo $NO_PROXY")
    assert "| hello |" in shell.stdout
    assert shell.stdout.endswith("localhost,.example.com\n")
    assert account.run("mise", "--cd", "/", "settings", "get", "jobs").stdout == "3\n"
    account.setup("analyst", "undo")
    shell = account.run("bash", "-ic", "type mise; type cowsay; echo $NO_PROXY")
    assert shell.stdout == "mise is " + str(account.folder / "programs/mise") + "\n\n"


def test_what_prevents_the_set_up_is_one_sentence(new_account: Callable[..., Account]) -> None:
    account = new_account(lacks="less")
    fresh = account.files()
    offline = account.setup(PACKAGED[0], code=1, network=False)
    assert re.fullmatch(r"[^\n]+: connect to the network[^\n]+\n", offline.stderr)
    assert offline.stdout == ""
    assert account.files() == fresh

    account.setup(PACKAGED[0], "--dry-run")  # downloads what laptop.py needs
    offline = account.setup(PACKAGED[0], code=1, network=False)
    assert re.fullmatch(
        r"Packages: apt:less [^\n]+: connect to the network[^\n]+\n", offline.stderr
    )
    account.root("rm", f"/etc/sudoers.d/{NAME}")
    refused = account.setup(PACKAGED[0], code=1)
    assert re.fullmatch(r"Packages: [^\n]+ apt-get install [^\n]+\n", refused.stderr)

    script = str(account.folder / "workstation/setup.sh")
    with pytest.raises(AssertionError, match=r"\nRun this without sudo: [^\n]+$"):
        account.root("env", f"SUDO_USER={NAME}", script, PACKAGED[0])
    account.root("mount", "--bind", "--read-only", str(account.home), str(account.home))
    readonly = account.setup(PACKAGED[0], code=1)
    assert (
        readonly.stderr == f"{account.home} is read-only: make it writable, then run this again.\n"
    )
