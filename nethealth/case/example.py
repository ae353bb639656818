"""The commented case file that `nethealth init --case` writes: every key with an invented figure."""

_EXAMPLE = """\
# The figures of a business case. All of them are invented: replace each, with who stands for it.
# A figure is { central, low, high, source, date, owner, basis }: low and high may be left out;
# basis is "quoted" (it stands in an offer or an account), "measured" or "assumed" (a judgement).
# Money is in pounds of the price year, without VAT that is recovered and without inflation.

[case]
title = "Replacement of the telephone system"
council = "scdc"           # an id of sites.toml
owner = "Head of ICT"
date = 2026-11-25
price_year = 2026
horizon_years = 10         # years after the year of the decision, which is year 0

[discount]
rate = { central = 0.035, source = "HM Treasury, Green Book (2026), standard rate for years 0 to 30", date = 2026-02-01, owner = "Head of Finance", basis = "quoted" }
later_rate = { central = 0.03, source = "HM Treasury, Green Book (2026), years 31 to 75", date = 2026-02-01, owner = "Head of Finance", basis = "quoted" }

[staff_time]               # what an hour of work costs: pay and on-costs over the hours worked
salary_gbp = { central = 33000, low = 29000, high = 38000, source = "Pay policy statement", date = 2026-04-01, owner = "Head of HR", basis = "quoted" }
employer_ni_gbp = { central = 4200, source = "Payroll", date = 2026-04-01, owner = "Head of HR", basis = "quoted" }
employer_pension_gbp = { central = 5800, source = "Payroll", date = 2026-04-01, owner = "Head of HR", basis = "quoted" }
contracted_h = { central = 1924, source = "37 hours in 52 weeks", date = 2026-04-01, owner = "Head of HR", basis = "quoted" }
leave_h = { central = 200, source = "Conditions of service", date = 2026-04-01, owner = "Head of HR", basis = "quoted" }
bank_holiday_h = { central = 59.2, source = "Eight days", date = 2026-04-01, owner = "Head of HR", basis = "quoted" }
sickness_h = { central = 60, low = 40, high = 80, source = "Sickness report", date = 2026-04-01, owner = "Head of HR", basis = "quoted" }
training_h = { central = 30, source = "Learning plan", date = 2026-04-01, owner = "Head of HR" }

[disruption]               # how much of people's work a fault takes, as a share of each hour
impairment = { central = 0.25, low = 0.1, high = 0.5, source = "Agreed in the workshop of 3 November", date = 2026-11-03, owner = "Head of Finance" }
working_days = "mon-fri"
working_from = "08:30"
working_to = "17:30"
[disruption.impairment_of] # by code of the finding, where it differs
site-outage = { central = 0.8, low = 0.5, high = 1, source = "Agreed in the workshop of 3 November", date = 2026-11-03, owner = "Head of Finance" }
[disruption.staff]         # by site, in place of the staff of sites.toml; or by asset
hall = { central = 280, low = 250, high = 320, source = "Desk survey", date = 2026-06-01, owner = "Facilities", basis = "measured" }

[[contact_centre]]         # calls lost or made again within the period, by its own statistics
site = "hall"
abandoned_calls = { central = 120, source = "Contact centre report", date = 2026-11-01, owner = "Customer services", basis = "measured" }
repeated_calls = { central = 80, low = 40, high = 120, source = "Sample of 200 calls", date = 2026-11-01, owner = "Customer services" }
contact_gbp = { central = 4.1, source = "Cost per contact 2025/26", date = 2026-05-01, owner = "Head of Finance", basis = "quoted" }

[optimism.equipment]       # Mott MacDonald (2002), capital expenditure: upper and lower value
upper = { central = 2.0, source = "Mott MacDonald 2002, equipment and development, capital", date = 2002-07-01, owner = "Head of Finance", basis = "quoted" }
lower = { central = 0.1, source = "Mott MacDonald 2002, equipment and development, capital", date = 2002-07-01, owner = "Head of Finance", basis = "quoted" }
mitigated = { central = 0.6, low = 0.4, high = 0.8, source = "Risk workshop", date = 2026-11-03, owner = "Head of ICT" }
[optimism.outsourcing]     # operating expenditure
upper = { central = 0.41, source = "Mott MacDonald 2002, outsourcing, operating", date = 2002-07-01, owner = "Head of Finance", basis = "quoted" }
lower = { central = 0.0, source = "Mott MacDonald 2002, outsourcing, operating", date = 2002-07-01, owner = "Head of Finance", basis = "quoted" }

[[option]]                 # business as usual and do minimum have to be there
id = "usual"
name = "Go on as now"
kind = "business-as-usual"
description = "Keep the exchange until its lines are withdrawn."
[[option.cost]]
name = "maintenance"
kind = "revenue"
first_year = 0
last_year = 10
amount_gbp = { central = 60000, low = 55000, high = 80000, source = "Contract", date = 2026-04-01, owner = "Head of ICT", basis = "quoted" }

[[option]]
id = "adapters"
name = "Adapters on the old exchange"
rejected_because = "It ends with the network that it needs."  # left out for an option carried forward
kind = "do-minimum"
[[option.cost]]
name = "adapters"
kind = "capital"
amount_gbp = { central = 45000, source = "Offer A", date = 2026-10-01, owner = "Head of ICT", basis = "quoted" }
bias = "equipment"
[[option.cost]]
name = "maintenance"
kind = "revenue"
first_year = 0
last_year = 10
amount_gbp = { central = 62000, source = "Contract", date = 2026-04-01, owner = "Head of ICT", basis = "quoted" }

[[option]]
id = "hosted"
name = "Hosted telephony"
disruption_avoided = { central = 0.8, low = 0.5, high = 1, source = "Judgement from the measurements", date = 2026-11-20, owner = "Head of ICT" }
[[option.cost]]
name = "project"
kind = "capital"
amount_gbp = { central = 120000, low = 90000, high = 160000, source = "Offer B", date = 2026-10-01, owner = "Head of ICT", basis = "quoted" }
bias = "equipment"
[[option.cost]]
name = "licences"
kind = "revenue"
first_year = 1
last_year = 10
amount_gbp = { central = 38000, source = "Offer B", date = 2026-10-01, owner = "Head of ICT", basis = "quoted" }
bias = "outsourcing"
[[option.benefit]]
name = "lines given up"
first_year = 1
last_year = 10
amount_gbp = { central = 21000, source = "Line rental account", date = 2026-10-01, owner = "Head of Finance", basis = "quoted" }
cashable = true

[matrix]                   # of the council's risk register: likelihood times impact
size = 5
bands = [4, 9, 15, 25]     # the highest score of each band
names = ["low", "medium", "high", "very high"]

[[risk]]
id = "ICT-07"
cause = "The public telephone network closes on 31 January 2027"
event = "lines that nobody has moved stop working"
consequence = "lifts and alarms cannot call for help"
inherent = { likelihood = 5, impact = 4 }
residual = { likelihood = 3, impact = 4 }
target = { likelihood = 1, impact = 4 }
controls = "Line inventory in sites.toml"
owner = "Head of Facilities"
action = "Move each line or have it given up"
due = 2027-01-15
review = 2026-12-15
evidence = ["isdn-retirement"]

[[recharge]]
name = "Hosted telephony, year 1"
total_gbp = { central = 38000, source = "Offer B", date = 2026-10-01, owner = "Head of Finance", basis = "quoted" }
key = "extensions"         # devices staff extensions, counted in sites.toml; or use
frozen = 2026-04-01
use = { scdc = 1 }         # only read where the key is use: each council's share
[[recharge.own]]           # what one council bears alone
council = "scdc"
name = "its own exchange until it is switched off"
amount_gbp = { central = 12000, source = "Contract", date = 2026-04-01, owner = "Head of Finance", basis = "quoted" }

[sections]                 # the five cases, in your words; what is left out is shown as to be written
strategic = "The network that the exchange stands on closes."
economic = "See the appraisal."
commercial = "A call-off from a framework."
financial = "Within the ICT budget."
management = "The shared service's project board."
"""


def example() -> str:
    """The text, ready to be edited."""
    return _EXAMPLE
