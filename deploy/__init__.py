"""How the services are put into operation; nothing in here is imported by a service."""
