"""The service that front-ends talk to: REST, its description, and their WebSockets. It knows no
router and calls no agent."""
