"""bocau: a self-hosted SMS and voice-OTP gateway, wire-compatible with the eSMS HTTP API.

Where a message goes, in order: accept, schedule, dispatch, deliver, report. See docs/discussions/house.md.
"""

__version__ = "0.1.0"
