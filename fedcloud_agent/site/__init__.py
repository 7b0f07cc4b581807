"""The site's own facts: its name, its VOs, which VO a project serves, who is who."""
