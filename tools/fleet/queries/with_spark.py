"""Asks a Parquet data set of bootshotctl with Apache Spark: with_spark.py DATA QUERY.sql..."""

import json
import pathlib
import sys

from pyspark.sql import SparkSession

TABLES = ["summary", "drivers", "zombie_holders", "session_manager_lists"]

data, *queries = map(pathlib.Path, sys.argv[1:])
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    # As many as there are rows to share out, and not the 200 of a cluster.
    .config("spark.sql.shuffle.partitions", "4")
    # The folders' names are columns as well: table, host, boot. They are text, even where they look like numbers.
    .config("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
for table in TABLES:
    rows = spark.read.option("basePath", str(data)).parquet(str(data / f"table={table}"))
    rows.createOrReplaceTempView(table)

for query in queries:
    for row in spark.sql(query.read_text()).collect():
        print(json.dumps({"query": query.stem, **row.asDict()}))
spark.stop()
