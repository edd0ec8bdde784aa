"""Pure decisions about one message: language, intent, urgency, channel, entities, and what to do with it."""
