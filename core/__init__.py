"""What the workbench does: no streamlit, no connector, no page."""
