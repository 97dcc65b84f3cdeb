"""A bare FastAPI app that takes the same form as Layerglass and answers as many bytes."""

import argparse
from typing import Annotated

import uvicorn
from fastapi import FastAPI, File, Form, UploadFile
from fastapi.responses import JSONResponse

PROGRAM = "from benchmarks.echo import main; main()"

app = FastAPI(docs_url=None, redoc_url=None)
app.state.filler = ""


@app.put("/length/{length}")
async def put_length(length: int) -> None:
    """Set the number of bytes of the answers from now on."""
    app.state.filler = "x" * length


@app.post("/echo")
async def echo(
    drawing: Annotated[UploadFile, File()],
    model: Annotated[str | None, Form()] = None,
    pooling: Annotated[str | None, Form()] = None,
    colormap: Annotated[str, Form()] = "viridis",
    scale: Annotated[str, Form()] = "layer",
    columns: Annotated[int, Form()] = 16,
) -> JSONResponse:
    return JSONResponse({"bytes": len(await drawing.read()), "columns": columns, "answer": app.state.filler})


def main() -> None:
    """Serve it like `layerglass serve`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(app, port=parser.parse_args().port, access_log=False, server_header=False, log_level="error")
