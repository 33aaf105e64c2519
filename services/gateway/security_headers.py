"""What every answer tells browsers."""

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # A page that needs more says so itself.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
"""What every answer tells browsers, unless it says something else itself."""

ONLY_TLS = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}
"""Where the connection is TLS: two years, as browsers' lists of such hosts want it."""
