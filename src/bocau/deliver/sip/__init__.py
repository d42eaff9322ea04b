"""Voice calls over SIP trunks: each call tells one callee a code. Knows no store; runs in any process with a loop."""
