"""Usage of virtual machines becomes APEL cloud records: collect, decide, write down, deliver."""
