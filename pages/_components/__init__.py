"""The SQL editor and the result grid: Streamlit components of our own, and their built assets."""
