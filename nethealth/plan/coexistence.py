"""The parameters of a load beside voice."""

from nethealth.inventory.addresses import bracketed
from nethealth.inventory.loads import LoadLimits, loads_of
from nethealth.model.check import CoexistenceParameters
from nethealth.model.inventory import CoexistenceOptions


def coexistence(
    host: str,
    options: CoexistenceOptions,
    limits: LoadLimits,
    guards: tuple[tuple[str, str], ...],
) -> tuple[str, CoexistenceParameters]:
    """Target and parameters; whoever calls has seen to it that the loads are within `limits`."""
    at = bracketed(host) if options.port == 862 else f"{bracketed(host)}:{options.port}"
    asked = {"download": options.download_mbps, "upload": options.upload_mbps}
    rates = {
        load: (asked[load] or limits.most_mbps(load) or 0.0) * 1e6
        for load in loads_of(options.direction)
    }
    return f"stamp:{at}", CoexistenceParameters(
        host,
        declared_down_bps=(limits.site.down_mbps or 0.0) * 1e6,
        declared_up_bps=(limits.site.up_mbps or 0.0) * 1e6,
        port=options.port,
        load_port=options.load_port,
        download_bps=rates.get("download"),
        upload_bps=rates.get("upload"),
        before_s=options.before_s,
        load_s=options.load_s,
        after_s=options.after_s,
        guard_delay_s=options.guard_delay_ms / 1000,
        guard_loss_ratio=options.guard_loss,
        guards=guards,
        dscp=options.dscp,
        family=options.family,
    )
