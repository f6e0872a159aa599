"""The databases of a MariaDB server as a catalog: read in place, joined with everything else."""

from __future__ import annotations

from connectors._mysql import MysqlFamily


class Mariadb(MysqlFamily):
    name = "mariadb"
    label = "MariaDB"
    help = "The databases of a MariaDB server, read in place; its own engine can run SQL as well."
