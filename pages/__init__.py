"""What people see: one file a page, each with one `render()`. The home of streamlit."""
