"""A journal in a directory of its own. Needs: GenerationSession.records"""

from toapis_async import AsyncToAPIs

AsyncToAPIs(api_key="sk-1").session("out/", journal="runs/july")
