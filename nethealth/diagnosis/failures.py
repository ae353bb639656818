"""What a failed step means, in words that follow the name of the thing that was asked."""

from collections.abc import Mapping

from nethealth.model.failure import Failure

SAYING: Mapping[Failure, str] = {
    Failure.RESOLVE: "has a name that gave no address",
    Failure.REFUSED: "refused the connection: nothing listens there",
    Failure.UNREACHABLE: "cannot be reached: the network says so",
    Failure.TIMEOUT: "did not answer in time",
    Failure.RESET: "broke the connection off",
    Failure.TLS: "did not complete the TLS handshake",
    Failure.PROTOCOL: "answered with what is no answer in its protocol",
    Failure.WRONG_SOURCE: "answered from another address than the one that was asked",
    Failure.AUTH: "refused the credentials",
    Failure.INTERRUPTED: "was not measured to the end",
}
