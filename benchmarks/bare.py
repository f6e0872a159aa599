"""The floor in the browser: the least Streamlit app that answers SQL. It is not a part of Millpond.

DuckDB runs in the web process, all rows go into a table of Streamlit's own.
"""

import duckdb
import streamlit as st


@st.cache_resource
def database() -> duckdb.DuckDBPyConnection:
    """Open DuckDB once for all sessions."""
    return duckdb.connect()


sql = st.text_area("SQL")
if sql:
    st.dataframe(database().cursor().execute(sql).to_arrow_table())
