"""The pytest plug-in: a gateway for each run, a namespace for each test."""
