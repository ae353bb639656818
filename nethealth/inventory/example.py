"""The commented inventory that `nethealth init` writes."""

_EXAMPLE = """\
# What nethealth is to measure. Every address here is from 198.18.0.0/15, which is set apart for
# tests (RFC 2544): replace them all. `nethealth sweep` reads this file and lists every error in it.

[vantage]                  # the machine that measures
id = "hq-laptop"
site = "hall"              # optional: where it stands
timezone = "Europe/London" # of the blackout hours below

[sweep]                    # the caps; these are the defaults
ping_count = 20
ping_interval_ms = 200
site_packets_per_s = 1000
site_starts_per_s = 50     # checks begun at one site
deadline_s = 35            # of each single check

[thresholds]               # above these a measured value becomes a finding (defaults shown)
loss = 0.01
delay_one_way_s = 0.15
pdv_p99_s = 0.03
r_factor = 70              # below this one
certificate_days = 30      # and below this one
temperature_c = 30         # of a room, in degrees Celsius
temperature_high_c = 40    # at which it is critical by level alone
temperature_rise_c_per_hour = 5
broadcast_packets_per_s = 500 # that one port takes in; old telephones suffer from more

[severity]                 # optional: finding code = "info", "warning" or "critical"
certificate-expiry = "warning"

[[council]]
id = "scdc"
name = "South Cambridgeshire District Council"

[[site]]
id = "hall"
council = "scdc"
name = "South Cambridgeshire Hall"
gateway = "198.18.2.1"     # the site's router, pinged to tell a dead site from a dead host
upstream = "provider-a"    # sites with the same upstream share a provider
backup_upstream = "provider-b"       # this and all below are optional
building = "South Cambridgeshire Hall, Cambourne"
cooling_units = 1          # of the room that the equipment stands in: 0 if it has none
ups = 1                    # supplies with a battery there: 0 if there is none
wan_down_mbps = 100
wan_up_mbps = 20
staff = 320
extensions = 280
devices = 700

[[blackout]]               # hours in which nothing is sent to a site
site = "hall"
days = "mon-fri"           # or "sat,sun", or "daily"
from = "09:00"
to = "10:30"               # a time not after `from` is on the next day

[[asset]]
id = "hall-pbx"            # letters, digits, dots, underscores and hyphens
site = "hall"
kind = "pbx"               # pbx sbc gateway phone ata router switch server service sensor reflector
address = "198.18.2.10"    # numeric, or a host name
mac = "00:1b:4f:12:34:56"  # by which it is known again in what switches and telephones say
name = "Telephone exchange, ground floor"
legacy = true              # a label for the report; it is never evidence
owner = "3C ICT"           # an asset without an owner is itself reported
vendor = "Example Telephones"
model = "Exchange 11"
installed = 2004
end_of_support = 2018-12-31
checks = ["ping", "sip"]   # default: by kind, and by the tables below
[asset.ping]
count = 20
interval_ms = 200
timeout_ms = 2000
dscp = 46                  # 46 is what voice should travel with
family = 4                 # 4 or 6; default: whichever the name gives first
[asset.sip]
uri = "sip:198.18.2.10:5060"
transport = "udp"          # udp tcp tls
username = "probe"
password_env = "HALL_PBX_PASSWORD"   # a secret never stands in the file
test_account = true        # only then may it be registered
hops = false               # true counts the proxies on the way
old_tls = false            # true tries which old versions of TLS are still accepted
timeout_s = 32
family = 4
[asset.call]               # a sweep calls only where `checks` above says "call" too
number = "sip:echo@198.18.2.10:5070" # a test number; no other is ever called
every_minutes = 15         # of a sweep that goes on with --every: at most one call in that time
username = "probe"         # by default the account of [asset.sip], where it is the same host
password_env = "HALL_PBX_PASSWORD"
duration_s = 10            # once it is answered
ring_timeout_s = 20
codecs = ["PCMA", "PCMU"]  # PCMA PCMU G722 G729
dscp = 46                  # of the media
family = 4
[asset.stamp]              # a reflector: `nethealth reflect`, or a router with TWAMP-Light
port = 862
count = 500
interval_ms = 20
timeout_ms = 2000
payload_bytes = 172        # of UDP: G.711 in packets of 20 ms
dscp = 46
family = 4
[asset.route]
method = "udp"             # udp icmp tcp
port = 33434               # of the destination; default for tcp: 443
queries = 3                # packets to each hop
hops_max = 30
dscp = 46                  # a mark that must hold all the way
family = 4
[asset.coexistence]        # a load beside voice, against `nethealth reflect --load-port 8621`
port = 862                 # of the reflector
load_port = 8621
direction = "both"         # both download upload, as the site's users see it
download_mbps = 20         # at most, and by default, half of what the site declares
upload_mbps = 5
before_s = 5
load_s = 5                 # of each direction
after_s = 3
guard_delay_ms = 150       # a load that delays packets by more is ended at once
guard_loss = 0.05
dscp = 46                  # of the one stream; the other bears no mark
family = 4

[[asset]]
id = "hall-switch"
site = "hall"
kind = "switch"
address = "198.18.2.2"
owner = "3C ICT"
[asset.snmp]
version = 3                # 3 signs and encrypts; 2 (v2c) has community_env in place of these three
user_env = "HALL_SNMP_USER"
auth_env = "HALL_SNMP_AUTH"
priv_env = "HALL_SNMP_PRIV"
auth = "SHA-256"           # SHA-1 SHA-224 SHA-256 SHA-384 SHA-512
privacy = "AES-128"        # AES-128, and AES-192 AES-256 or, as on Cisco's, AES-192-C AES-256-C
port = 161
# groups: interfaces ethernet spanning-tree forwarding arp neighbours poe e1 ups sensors
groups = ["interfaces", "ethernet", "spanning-tree", "sensors"] # default: by kind
timeout_s = 2              # of each request; it is put once more
interval_s = 10            # between two readings of the counters; 0 for one reading
repetitions = 16           # rows asked for at once
family = 4

[[asset]]
id = "hall-room"
site = "hall"
kind = "sensor"            # what is in the server room: temperature, humidity, UPS
address = "198.18.2.3"
owner = "Facilities"
[asset.snmp]
version = 2                # the community travels in clear text, which is itself reported
community_env = "HALL_ROOM_COMMUNITY"

[[asset]]                  # `nethealth reflect --sip-port 5060` on a host outside
id = "outside-reflector"
site = "hall"
kind = "reflector"
address = "198.18.3.9"
owner = "3C ICT"
checks = ["ping", "sip-alg", "nat"]
[asset.sip-alg]
sip_port = 5060
control_port = 8630        # and the one after it
family = 4
[asset.nat]
control_port = 8630
least_s = 15               # the shortest silence of a binding that is tried
most_s = 20                # the longest; 150 judges a site, and sweep.deadline_s = 170 allows it
bindings = 2               # for each length of silence
family = 4

[[asset]]
id = "hall-web"
site = "hall"
kind = "service"           # a service gets the checks of its tables, and no ping
address = "198.18.2.20"
owner = "Digital Services"
[asset.http]
url = "https://198.18.2.20/"         # default: https at the address
expect_status = 200
body_match = "Council"     # text that the page must hold
timeout_s = 10
family = 4
[asset.tcp]
ports = [443, 8443]
timeout_s = 5
family = 4

[[asset]]
id = "hall-dns"
site = "hall"
kind = "server"
address = "198.18.2.53"
owner = "3C ICT"
[asset.dns]
names = ["portal.example"] # asked of this asset as a server
record_type = "A"          # A AAAA SRV NAPTR PTR MX TXT CNAME NS SOA
port = 53
expect = ["198.18.2.20"]   # any other answer is a wrong answer
timeout_s = 3
family = 4

[[line]]                   # what still hangs on the public switched telephone network
id = "hall-lift"
site = "hall"
kind = "analogue"          # analogue isdn2 isdn30
use = "lift alarm"
migrated = false
owner = "Facilities"
"""


def example() -> str:
    """A commented `sites.toml` that shows every key and parses as it is."""
    return _EXAMPLE
