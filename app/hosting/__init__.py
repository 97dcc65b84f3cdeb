"""Hosting for a FastAPI app: server process, connection limits, middleware, logs, metrics, memory, admission."""
