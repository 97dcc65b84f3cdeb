"""What any web app needs and this one has: server process, protocol limits, middleware, logs, metrics, memory."""
