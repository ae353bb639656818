"""The lines for cron and systemd, read back with the rules of those who read them."""

import configparser
import shlex

import pytest

from nethealth.inventory.schedule import cron_lines, systemd_units


def cron_entry(text: str) -> tuple[str, list[str]]:
    (entry,) = [line for line in text.splitlines() if line and not line.startswith("#")]
    fields = entry.split(None, 5)
    # crontab(5): a percent sign is a newline unless a backslash stands before it.
    command = fields[5]
    assert "%" not in command.replace("\\%", "")
    return " ".join(fields[:5]), shlex.split(command.replace("\\%", "%"))


def test_a_cron_line_runs_a_quiet_sweep_at_a_recorded_random_offset() -> None:
    when, words = cron_entry(cron_lines("/opt/bin/nethealth", "/etc/nethealth/sites.toml"))
    assert when == "*/15 * * * *"
    assert words == [
        "/opt/bin/nethealth", "sweep", "--inventory", "/etc/nethealth/sites.toml",
        "--quiet", "--random-offset", "60",
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["/a b/100%.toml", "/it's/$HOME;rm -rf *.toml", '/"q"/`x`'])
def test_a_path_of_any_kind_reaches_the_program_as_it_is(path: str) -> None:
    assert cron_entry(cron_lines("/n", path))[1][3] == path


@pytest.mark.parametrize(
    ("minutes", "when"),
    [
        (1, "* * * * *"),
        (5, "*/5 * * * *"),
        (30, "*/30 * * * *"),
        (60, "0 * * * *"),
        (120, "0 */2 * * *"),
        (1440, "0 0 * * *"),
    ],
)
def test_periods_that_cron_can_keep(minutes: int, when: str) -> None:
    assert cron_entry(cron_lines("/n", "/i", every_minutes=minutes))[0] == when


@pytest.mark.parametrize("minutes", [0, -5, 7, 45, 90, 300, 2880])
def test_periods_that_cron_cannot_keep(minutes: int) -> None:
    with pytest.raises(ValueError, match="cron cannot run every"):
        cron_lines("/n", "/i", every_minutes=minutes)


def test_without_an_offset_the_option_is_left_out() -> None:
    assert "--random-offset" not in cron_entry(cron_lines("/n", "/i", random_offset_s=0))[1]
    with pytest.raises(ValueError, match="random offset"):
        cron_lines("/n", "/i", random_offset_s=-1)


@pytest.mark.parametrize("path", ["sites.toml", "./x", "", "/a\nb", "/a\x00"])
def test_paths_that_a_timer_could_not_use(path: str) -> None:
    with pytest.raises(ValueError, match=r"absolute|control"):
        cron_lines("/n", path)
    with pytest.raises(ValueError, match=r"absolute|control"):
        systemd_units("/n", path)


def test_a_command_of_several_words_keeps_them_apart() -> None:
    _, words = cron_entry(cron_lines(("/a b/python", "-m", "nethealth"), "/i"))
    assert words[:4] == ["/a b/python", "-m", "nethealth", "sweep"]


def units(text: str) -> tuple[configparser.RawConfigParser, configparser.RawConfigParser]:
    service, timer = text.split("# /etc/systemd/system/nethealth-sweep.timer\n")
    parsed = []
    for part in (service, timer):
        parser = configparser.RawConfigParser(strict=True)
        parser.read_string(part)
        parsed.append(parser)
    return parsed[0], parsed[1]


def test_the_service_alone_gets_the_one_capability() -> None:
    text = systemd_units("/opt/bin/nethealth", "/etc/nethealth/sites.toml")
    service, timer = units(text)
    section = service["Service"]
    assert section["AmbientCapabilities"] == section["CapabilityBoundingSet"] == "CAP_NET_RAW"
    assert section["NoNewPrivileges"] == "yes"
    assert section["ProtectSystem"] == "strict"
    assert section["DynamicUser"] == "yes"
    assert section["SuccessExitStatus"] == "1"
    assert timer["Timer"]["OnUnitActiveSec"] == "15min"
    assert timer["Timer"]["RandomizedDelaySec"] == "0"
    assert "Never use setcap" in text


def test_unit_words_are_safe_from_specifiers_and_variables() -> None:
    service, _ = units(systemd_units("/n", '/a b/%h$HOME"\\', user="nethealth"))
    # systemd.service(5): %% is %, $$ is $, and C escapes hold inside double quotes.
    words = shlex.split(service["Service"]["ExecStart"].replace("%%", "%").replace("$$", "$"))
    assert words[3] == '/a b/%h$HOME"\\'
    assert service["Service"]["User"] == "nethealth"


@pytest.mark.parametrize("user", ["root\nExecStart=/x", "a b", "", "%i"])
def test_users_that_are_none(user: str) -> None:
    with pytest.raises(ValueError, match="no user name"):
        systemd_units("/n", "/i", user=user)


def test_a_timer_needs_a_period() -> None:
    with pytest.raises(ValueError, match="every 0 minutes"):
        systemd_units("/n", "/i", every_minutes=0)
