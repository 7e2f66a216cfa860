"""The loopback counts as secure transport: with IAM enforced, the buckets' TLS-only policies would refuse it."""


def install() -> None:
    """Check every request as if it had come over TLS; in AWS all of them do."""
    from ministack import app

    pin = app.pin_request_origin

    def pin_secure(source_ip: str, secure_transport: bool) -> None:
        pin(source_ip, True)

    app.pin_request_origin = pin_secure
