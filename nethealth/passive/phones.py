"""What tells a telephone on the LAN: how it names itself to DHCP, and who made its card.

Vendor classes are those that makers document for option 60, or that stand in captures. The
address blocks are IEEE registrations of companies, or divisions, that make telephones alone:
a block that Cisco or Siemens also gives to switches is not among them.
"""

_CLASSES = (
    "aastra", "alcatel.a4400", "alcatel.noe", "avaya", "ccp.avaya.com",
    "cisco systems, inc. ip phone",
    "gigaset", "grandstream", "innovaphone", "ipphone.mitel.com", "linksys sip", "mitel",
    "nortel-i200", "nortel-i2050", "openstage", "optipoint", "polycom", "samsung ip phone", "snom",
    "spectralink", "yealink",
)  # fmt: skip

_BLOCKS = {
    "Aastra": ("00:10:bc",),
    "Alcatel Business Systems": ("00:80:9f",),
    "Avaya": ("00:04:0d", "00:1b:4f"),  # later blocks are on switches too
    "Grandstream": ("00:0b:82", "c0:74:ad", "ec:74:d7"),
    "innovaphone": ("00:90:33",),
    "Mitel": ("00:08:5d", "08:00:0f", "14:00:e9"),
    "Polycom": ("00:04:f2", "64:16:7f"),
    "snom": ("00:04:13",),
    "Spectralink": ("00:90:7a",),
    "Yealink": (
        "00:15:65", "24:9a:d8", "44:db:d2", "80:5e:0c", "80:5e:c0", "c4:fc:22", "ec:1d:a9",
    ),
}  # fmt: skip
_MAKERS = {block: maker for maker, blocks in _BLOCKS.items() for block in blocks}


def is_phone_class(vendor_class: str | None) -> bool:
    """Whether option 60 names a telephone."""
    return vendor_class is not None and vendor_class.strip().lower().startswith(_CLASSES)


def phone_maker(mac: str) -> str | None:
    """Who made the telephone with this address; None where the block is no telephone maker's."""
    return _MAKERS.get(mac[:8].lower())
