"""What the program remembers: one SQL store for documents and ledger rows.

`store.Store` opens it, `documents.Documents` keeps what people design, `rows` is what a slice's
records.py declares its tables with. No repository layer: SQLAlchemy's session is that.
"""
