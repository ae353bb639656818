"""tools/system-packages, on a Debian of which each test says what is installed and who asks."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools/system-packages"
_REAL_TOOLS = ("sh", "rm", "tee", "chmod", "env", "cat", "mount", "printf")

# What apt-get is called with goes to a log; so does whether a daemon could start meanwhile.
_APT_GET = """#!/bin/sh
echo "apt-get $* ($DEBIAN_FRONTEND)" >>"$LOG"
/usr/sbin/policy-rc.d; echo "policy $?" >>"$LOG"
exit ${APT_STATUS-0}
"""
_DPKG_QUERY = """#!/bin/sh
for last; do :; done
case " $MISSING " in *" $last "*) exit 1 ;; esac
printf installed
"""


class Machine:
    """A PATH with nothing on it but stand-ins for the tools that look at the system, or change it.

    /usr/sbin is an empty folder of the script's own mount namespace.
    """

    def __init__(self, folder: Path) -> None:
        self._bin = folder / "bin"
        self._bin.mkdir()
        self._log = folder / "log"
        for name in _REAL_TOOLS:
            (self._bin / name).symlink_to(f"/bin/{name}")
        self.tool("apt-get", _APT_GET)
        self.tool("dpkg-query", _DPKG_QUERY)
        self.tool("python3", "#!/bin/sh\nexit 0\n")
        self.tool("id", "#!/bin/sh\necho ${FAKE_UID-0}\n")

    def tool(self, name: str, text: str | None) -> None:
        path = self._bin / name
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
            path.chmod(0o755)

    def run(self, *words: str, policy: str | None = None, **env: str) -> tuple[int, str, list[str]]:
        """Exit status, output, and what apt-get saw; `policy` is a policy-rc.d that was there."""
        before = "" if policy is None else f"echo '{policy}' >/usr/sbin/policy-rc.d"
        after = "cat /usr/sbin/policy-rc.d 2>/dev/null"
        inside = f"""
            mount -t tmpfs none /usr/sbin
            {before}
            PATH={self._bin} /bin/sh {SCRIPT} {" ".join(words)}
            status=$?
            {after}
            exit $status
        """
        done = subprocess.run(
            ("unshare", "--mount", "/bin/sh", "-c", inside),
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "LOG": str(self._log), **env},
            check=False,
        )
        log = self._log.read_text().splitlines() if self._log.exists() else []
        return done.returncode, done.stdout + done.stderr, log


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("purpose", ["demo", "test"])
def test_does_nothing_where_nothing_is_missing(machine: Machine, purpose: str) -> None:
    assert machine.run(purpose) == (0, "", [])


@pytest.mark.parametrize("words", [(), ("build",)])
def test_asks_for_a_purpose(machine: Machine, words: tuple[str, ...]) -> None:
    status, output, log = machine.run(*words)
    assert (status, log) == (2, [])
    assert "usage" in output


def test_root_installs_what_is_missing_and_starts_no_daemon(machine: Machine) -> None:
    status, _, log = machine.run("test", MISSING="kamailio dnsmasq-base")
    assert status == 0
    assert log == [
        "apt-get update -q (noninteractive)",
        "policy 101",
        "apt-get install -y --no-install-recommends kamailio dnsmasq-base (noninteractive)",
        "policy 101",
    ]


def test_the_policy_is_gone_afterwards_even_if_apt_fails(machine: Machine) -> None:
    status, output, _ = machine.run("test", MISSING="irtt", APT_STATUS="100")
    assert status == 100
    assert "exit 101" not in output


def test_a_policy_of_the_machines_own_stays(machine: Machine) -> None:
    _, output, _ = machine.run("test", MISSING="irtt", policy="# of somebody else")
    assert "# of somebody else" in output


def test_without_root_it_says_what_to_run(machine: Machine) -> None:
    status, output, log = machine.run("test", MISSING="irtt fping", FAKE_UID="1000")
    assert (status, log) == (1, [])
    install = "sudo apt-get install -y --no-install-recommends irtt fping"
    assert f"sudo apt-get update && {install}\n" in output


def test_sudo_is_used_if_it_asks_nothing(machine: Machine) -> None:
    machine.tool("sudo", '#!/bin/sh\nshift\n[ "$1" = true ] || "$@"\n')
    status, _, log = machine.run("test", MISSING="irtt", FAKE_UID="1000")
    assert (status, len(log)) == (0, 4)
    assert "policy 101" in log


def test_the_demo_needs_a_python_that_makes_environments(machine: Machine) -> None:
    machine.tool("python3", "#!/bin/sh\nexit 1\n")
    _, _, log = machine.run("demo", MISSING="python3-venv irtt")
    assert "apt-get install -y --no-install-recommends python3-venv (noninteractive)" in log


def test_another_system_is_told_what_it_lacks(machine: Machine) -> None:
    machine.tool("dpkg-query", None)
    status, output, log = machine.run("test")
    assert (status, log) == (1, [])
    assert "no Debian" in output
    assert "kamailio" in output
