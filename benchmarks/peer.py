"""A notebook of one cell, for marimo: what a peer shows before it can be used."""

import marimo

app = marimo.App()


@app.cell
def _() -> None:
    return


if __name__ == "__main__":
    app.run()
