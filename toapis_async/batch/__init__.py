"""Floor 6: many calls over time. The session, its stream and its download workers."""
