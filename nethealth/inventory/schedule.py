"""The lines that make a sweep run by itself, for cron and for systemd; and a reflector's unit."""

import re
import shlex
from collections.abc import Sequence

# cron can only repeat within the hour or within the day.
CRON_MINUTES = tuple(minutes for minutes in range(1, 61) if 60 % minutes == 0)
CRON_HOURS = tuple(hours for hours in range(1, 25) if 24 % hours == 0)


def cron_lines(
    command: str | Sequence[str],
    inventory_path: str,
    *,
    every_minutes: int = 15,
    random_offset_s: int = 60,
) -> str:
    """Lines for `crontab -e`: a quiet sweep every so many minutes.

    `command` is the program's absolute path, or that and the words behind it. The program itself
    draws the random offset, so that it stands in the record. Raises ValueError for a period that
    cron cannot keep.
    """
    hours, rest = divmod(every_minutes, 60)
    if every_minutes in CRON_MINUTES[:-1]:
        when = f"*/{every_minutes} * * * *" if every_minutes > 1 else "* * * * *"
    elif rest == 0 and hours in CRON_HOURS:
        when = {1: "0 * * * *", 24: "0 0 * * *"}.get(hours, f"0 */{hours} * * *")
    else:
        raise ValueError(
            f"cron cannot run every {every_minutes} minutes; it can every "
            f"{', '.join(map(str, CRON_MINUTES[:-1]))} minutes, and every "
            f"{', '.join(map(str, CRON_HOURS))} hours"
        )
    words = _sweep(command, inventory_path, random_offset_s)
    # To cron a percent sign is a newline, inside the shell's quotes as well.
    line = " ".join(map(shlex.quote, words)).replace("%", "\\%")
    return (
        f"# A sweep {_period(every_minutes)}. Its start is moved by up to {random_offset_s} s,"
        " drawn anew and recorded each\n"
        "# time, so that it falls in step with nothing else. It prints only what is new, worse or\n"
        "# cleared, and cron mails what is printed: put the address here.\n"
        "#MAILTO=helpdesk@example.org\n"
        f"{when} {line}\n"
    )


def systemd_units(
    command: str | Sequence[str],
    inventory_path: str,
    *,
    every_minutes: int = 15,
    random_offset_s: int = 60,
    user: str | None = None,
) -> str:
    """A service and its timer, each under a comment that names its file.

    `command` is the program's absolute path, or that and the words behind it. Without `user`
    systemd makes one for the service alone, to which home folders are mostly closed: the program
    and the inventory must stand elsewhere.
    """
    if every_minutes < 1:
        raise ValueError(f"a timer cannot run every {every_minutes} minutes")
    words = " ".join(map(_unit_word, _sweep(command, inventory_path, random_offset_s)))
    if user is not None and not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", user):
        raise ValueError(f"{user!r} is no user name")
    identity = f"User={user}" if user else "DynamicUser=yes"
    return f"""\
# /etc/systemd/system/nethealth-sweep.service
[Unit]
Description=nethealth sweep of all sites
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart={words}
# 1 means that there are findings: the sweep itself went well.
SuccessExitStatus=1
{identity}
# The history is kept in /var/lib/nethealth.
StateDirectory=nethealth
Environment=XDG_DATA_HOME=%S
# Echo requests need no privilege where net.ipv4.ping_group_range holds the service's group.
# Elsewhere this gives the right to this service alone. Never use setcap on the Python
# interpreter: that would give it to every script on the machine.
AmbientCapabilities=CAP_NET_RAW
CapabilityBoundingSet=CAP_NET_RAW
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
# Reading the state of the clock is a call of the group that can also set it; the right to set it
# is not among the capabilities above.
SystemCallFilter=@system-service adjtimex clock_adjtime
SystemCallErrorNumber=EPERM
SystemCallArchitectures=native

# /etc/systemd/system/nethealth-sweep.timer
[Unit]
Description=nethealth sweep {_period(every_minutes)}

[Timer]
OnBootSec=2min
OnUnitActiveSec={every_minutes}min
AccuracySec=1s
# No delay here: the sweep draws its own random offset and records it.
RandomizedDelaySec=0

[Install]
WantedBy=timers.target

# To install: put the two parts into the two files, then
#   systemctl daemon-reload && systemctl enable --now nethealth-sweep.timer
"""


def reflect_unit(command: str | Sequence[str], allow: str) -> str:
    """The service of a reflector, under a comment that names its file.

    `allow` is the network of the vantages, to be put in by whoever installs it. The only right
    that it has is to the port below 1024.
    """
    program = (command,) if isinstance(command, str) else tuple(command)
    _check_words(program, program[:1])
    words = " ".join(map(_unit_word, (*program, "reflect", "--allow", allow)))
    return f"""\
# /etc/systemd/system/nethealth-reflect.service (at the sites; not where only sweeps run)
[Unit]
Description=nethealth reflector of STAMP packets
Wants=network-online.target
After=network-online.target

[Service]
# The network of your own vantages in place of {allow}; repeat --allow for several.
# Outside, add "--sip-port" "5060" for the probes sip-alg and nat.
ExecStart={words}
Restart=on-failure
DynamicUser=yes
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
# Reading the state of the clock, for the error estimate, is a call of the group that can set it.
SystemCallFilter=@system-service adjtimex clock_adjtime
SystemCallErrorNumber=EPERM
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
"""


def _sweep(
    command: str | Sequence[str], inventory_path: str, random_offset_s: int
) -> tuple[str, ...]:
    program = (command,) if isinstance(command, str) else tuple(command)
    _check_words((*program, inventory_path), (program[0], inventory_path))
    if random_offset_s < 0:
        raise ValueError(f"a random offset cannot be {random_offset_s} s")
    offset = ("--random-offset", str(random_offset_s)) if random_offset_s else ()
    return (*program, "sweep", "--inventory", inventory_path, "--quiet", *offset)


def _check_words(words: Sequence[str], paths: Sequence[str]) -> None:
    for path in paths:
        if not path.startswith("/"):
            raise ValueError(f"{path!r} is no absolute path, and a timer has no current folder")
    for word in words:
        if not word.isprintable():
            raise ValueError(f"{word!r} holds a control character")


def _period(minutes: int) -> str:
    return "every minute" if minutes == 1 else f"every {minutes} minutes"


def _unit_word(word: str) -> str:
    """One word of a unit file: quoted, and no specifier or variable read into it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.replace("%", "%%").replace("$", "$$")
