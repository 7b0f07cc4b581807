"""State on disk: engine, transactions, migrations, and the few tables that wings share."""
