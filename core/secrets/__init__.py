"""What must not be readable where it is kept: passwords and keys, sealed under a master key.

`service.Secrets` is what others use. `keys` finds the master keys, `ring` seals and opens with
them (AES-256-GCM), `records` are the rows, `rotation` replaces a master key while all goes on.
Not a vault for other programs, and no defence against who can read both store and master key.
"""
