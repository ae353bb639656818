"""The rule that no test call may ever break: emergency and service numbers are refused."""

import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nethealth.wire.numbers import SERVICES, refusal

PREFIXES = (
    "", "0", "9", "00", "09", "99", "+44", "0044", "90044", "141", "1470", "*67", "*31#", "#31#",
    "0,", "9w", "9p", "18001", "+", "000000000000", "+44 1223 4", "1", "7",
)  # fmt: skip
SPELLINGS = (
    "{0}", "sip:{0}@198.18.2.10", "sips:{0}@pbx.example:5061", "tel:{0}", "SIP:{0}@pbx", "TEL:{0}",
    "sip:{0}@pbx;user=phone", "sip:{0};phone-context=+44@pbx;user=phone", "tel:{0};ext=7",
    "sip:{0}:secret@pbx", "sip:{0};isub=7@pbx", "sip:{0}#@pbx", "sip:{0}", "sip:{0}:5060",
    "tel:{0};phone-context=example.com", " {0} ", "sip:{0};npdi;rn=5@pbx", "<sip:{0}@pbx>",
)  # fmt: skip


@pytest.mark.parametrize("code", SERVICES)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_no_spelling_and_no_prefix_gets_through(code: str, prefix: str) -> None:
    for spelling in SPELLINGS:
        assert refusal(spelling.format(prefix + code)) is not None, spelling.format(prefix + code)


@pytest.mark.parametrize("code", SERVICES)
def test_separators_escapes_and_other_digits(code: str) -> None:
    escaped = "".join(f"%{ord(digit):02x}" for digit in code)
    for written in (
        "-".join(code), ".".join(code), " ".join(code), f"({code[0]}) {code[1:]}", "/".join(code),
        "\u200b".join(code), "\u2011".join(code), "\u00a0".join(code), "_".join(code),
        escaped, escaped.upper(), quote(escaped), quote(quote(escaped)),
        "%2D".join(code), "%20".join(code), "%E2%80%8B".join(code),
        "".join(chr(ord("\uff10") + int(digit)) for digit in code),  # full width
        "".join(chr(ord("\u0660") + int(digit)) for digit in code),  # Arabic-Indic
        "".join(chr(ord("\u06f0") + int(digit)) for digit in code),  # Persian
        quote("".join(chr(ord("\uff10") + int(digit)) for digit in code)),
        "".join("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[int(digit)]
                for digit in code),  # superscript
    ):  # fmt: skip
        for spelling in SPELLINGS:
            assert refusal(spelling.format(written)) is not None, spelling.format(written)


@pytest.mark.parametrize(
    "text",
    [
        "112p5", "112w,5", "999,,1", "112#", "999*", "9991234", "1125", "sip:9999@pbx", "091125",
        "0044112000", "+441125", "tel:2;phone-context=+4411", "tel:12;phone-context=1",
        "sip:5;x=999@pbx", "tel:5551234;postd=999", "sip:sos@example.com", "sip:SOS.police@pbx",
        "urn:service:sos", "urn:service:sos.fire", "sip:echo@pbx?Route=%3Csip:112@pbx%3E",
        "mailto:echo@example", "h323:200@pbx", "sip:%2525252525252531@pbx", "sip:" + "1" * 300,
        "sip:0112@198.18.2.112", "sip:test-101@pbx", "sip:a112@pbx",
        "sip:112@evil@198.18.2.10", "sip:112%40pbx@198.18.2.10",
    ],
)  # fmt: skip
def test_more_that_is_refused(text: str) -> None:
    assert refusal(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "sip:echo@198.18.2.10:5070", "sip:echo@198.18.2.112", "sip:198.18.2.112:5060",
        "sip:[::112]",
        "sip:[2001:db8::112]:5060", "sip:01223455500@pbx", "tel:+44-1223-455500", "sip:200@pbx",
        "sips:9196@pbx.example;transport=tcp", "sip:*43@pbx", "sip:music@pbx.example", "1000",
        "sip:+441223455500@pbx;user=phone", "sip:1100@pbx", "sip:1011@pbx", "sip:180@pbx",
    ],
)  # fmt: skip
def test_what_may_be_called(text: str) -> None:
    assert refusal(text) is None


@given(
    st.text(string.digits + " -.()/", max_size=8),
    st.sampled_from(SERVICES),
    st.text("-.() ", max_size=4),
)
def test_any_prefix_with_any_separators(prefix: str, code: str, between: str) -> None:
    number = prefix + between.join(code) + between
    assert refusal(f"sip:{number}@pbx") is not None
    assert refusal(f"sip:{quote(number, safe='')}@pbx") is not None


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    reason = refusal(text)
    assert reason is None or reason
