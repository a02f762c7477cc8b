"""Asks a Parquet data set of bootshotctl with DuckDB: with_duckdb.py DATA QUERY.sql..."""

import json
import pathlib
import sys

import duckdb

TABLES = ["summary", "drivers", "zombie_holders", "session_manager_lists"]

data, *queries = map(pathlib.Path, sys.argv[1:])
connection = duckdb.connect()
for table in TABLES:
    files = str(data / f"table={table}" / "**" / "*.parquet").replace("'", "''")
    # The folders' names are columns as well: table, host, boot. They are text, even where they look like numbers.
    connection.execute(f"""
        CREATE VIEW {table} AS
        FROM read_parquet('{files}', hive_partitioning = true, hive_types_autocast = false)
    """)

for query in queries:
    answer = connection.sql(query.read_text())
    for row in answer.fetchall():
        print(json.dumps({"query": query.stem, **dict(zip(answer.columns, row))}))
