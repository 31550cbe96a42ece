"""Agent flows: several members that are called as one. Which of them are active is in
`shared.domain.flows`."""
