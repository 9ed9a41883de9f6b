"""Traces and metrics. Needs: toapis_async.telemetry.OpenTelemetry"""

from toapis_async import AsyncToAPIs
from toapis_async.telemetry import OpenTelemetry

AsyncToAPIs(on_event=OpenTelemetry())
