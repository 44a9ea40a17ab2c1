"""Sealing: from queued entries to a durable batch whose root was derived twice."""
