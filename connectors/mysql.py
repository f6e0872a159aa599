"""The databases of a MySQL server as a catalog: read in place, joined with everything else."""

from __future__ import annotations

from connectors._mysql import MysqlFamily


class Mysql(MysqlFamily):
    name = "mysql"
    label = "MySQL"
    help = "The databases of a MySQL server, read in place; its own engine can run SQL as well."
