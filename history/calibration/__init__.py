"""From a CRM export to a scenario that can be simulated."""
