"""Messages and stubs generated from ``proto/`` by ``make proto``. Do not edit."""
