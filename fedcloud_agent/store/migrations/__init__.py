"""What Alembic runs: one file for each change of the tables, never edited once released."""
