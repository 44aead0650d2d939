"""Addresses of the server, as FastAPI documents them."""

# FastAPI reads annotations when functions are defined, so that they cannot be deferred

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import Field

from unwarp.app.explorer import answers, schemas
from unwarp.app.explorer.exploration import Exploration
from unwarp.app.explorer.limits import CallQueue, Refusal
from unwarp.app.explorer.uploads import prepared_file, prepared_values
from unwarp.core import Array
from unwarp.data.schema import Prepared

FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": schemas.Failure, "description": text}
    for status, text in {
        400: "The request is malformed.",
        401: "The token is missing or wrong.",
        403: "The host or the origin is not the server's own.",
        404: "There is no such sample, column or address.",
        408: "The body did not arrive in time.",
        413: "The body is too large.",
        415: "The body has another form.",
        422: "An argument cannot be used.",
        429: "Too many calls are waiting.",
        500: "A mistake of the server.",
        503: "The call took too long.",
    }.items()
}
"""Answers with an error, of all addresses."""

BYTES = {
    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
}

UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": schemas.SamplesBody.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                    "required": ["file"],
                }
            },
        },
    }
}
"""Own samples: nested lists of numbers, or one file."""

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

RowList = Annotated[str, Field(pattern=r"^[0-9]{1,8}(,[0-9]{1,8})*$", max_length=1000)]


def add_routes(app: Any, exploration: Exploration, queue: CallQueue) -> None:
    """Add all addresses under `/v1` to an application.

    Args:
        app: A FastAPI application.
        exploration: The model and its collection.
        queue: The queue of calculations.
    """
    from fastapi import APIRouter, Depends
    from fastapi.security import HTTPBearer

    # `Access` checks the token; this documents it
    token = Depends(HTTPBearer(auto_error=False))
    router = APIRouter(prefix="/v1", responses=FAILURES, dependencies=[token])
    _add_collection(router, exploration, queue)
    _add_samples(router, exploration, queue)
    _add_selections(router, exploration, queue)
    _add_own_samples(router, exploration, queue)
    app.include_router(router)


def _endpoint(
    router: Any, method: str, path: str, **options: Any
) -> Callable[[Endpoint], Endpoint]:
    """A decorator that adds a function to the addresses of a router.

    Args:
        router: The router.
        method: `GET` or `POST`.
        path: The address.
        options: Further arguments of FastAPI, such as the form of answers.
    """

    def add(function: Endpoint) -> Endpoint:
        router.add_api_route(path, function, methods=[method], **options)
        return function

    return add


def _add_collection(router: Any, exploration: Exploration, queue: CallQueue) -> None:
    """Add the addresses of the model and of the whole collection."""
    from fastapi import Response
    from fastapi.responses import JSONResponse

    @_endpoint(router, "GET", "/model", response_model=schemas.ModelFacts)
    async def model() -> Any:
        """All that the page needs to know first."""
        return JSONResponse(exploration.facts)

    @_endpoint(
        router,
        "GET",
        "/points",
        response_class=Response,
        responses={200: BYTES, 202: {"model": schemas.Computing}},
    )
    async def points(map: Literal["pca", "tsne"] = "pca") -> Any:
        """Points of all samples in two dimensions, float32, little-endian."""
        if map == "pca":
            return _bytes(exploration.pca)
        try:
            values = await queue.run(exploration.tsne.points)
        except RuntimeError:
            raise Refusal(503, "map='tsne' could not be computed; take map=pca") from None
        if values is None:
            record = {"state": "computing", "seconds": exploration.tsne.seconds}
            return JSONResponse(record, status_code=202)
        return _bytes(values)

    @_endpoint(router, "GET", "/columns/{name}", response_class=Response, responses={200: BYTES})
    async def column(name: str) -> Any:
        """Values of a column of all samples, float32, little-endian."""
        return _bytes(exploration.column(name).values)

    @_endpoint(
        router,
        "GET",
        "/histogram/{name}",
        response_model=schemas.NumberHistogram | schemas.CategoryHistogram,
    )
    async def histogram(name: str) -> Any:
        """Counts of a column."""
        return JSONResponse(exploration.column(name).histogram())

    def _bytes(values: Array) -> Response:
        content = np.ascontiguousarray(values, "<f4").tobytes()
        return Response(content, media_type="application/octet-stream")


def _add_samples(router: Any, exploration: Exploration, queue: CallQueue) -> None:
    """Add the addresses of single samples and of the sliders."""
    from fastapi import Path
    from fastapi.responses import JSONResponse

    @_endpoint(router, "GET", "/samples/{index}", response_model=schemas.SampleView)
    async def sample(index: Annotated[int, Path(ge=0, le=schemas.MAX_ROWS)]) -> Any:
        """A sample with its panels and neighbours."""
        return JSONResponse(await queue.run(answers.sample, exploration, index))

    @_endpoint(router, "GET", "/thumbnails", response_model=list[schemas.Thumbnail])
    async def thumbnails(rows: RowList) -> Any:
        """Samples as they are and aligned, small."""
        numbers = [int(row) for row in rows.split(",")]
        return JSONResponse(await queue.run(answers.thumbnails, exploration, numbers))

    @_endpoint(router, "POST", "/render", response_model=schemas.Rendering)
    async def render(body: schemas.RenderBody) -> Any:
        """Template and reconstruction of values of the sliders."""
        return JSONResponse(
            await queue.run(answers.render, exploration, body.content, body.deformation)
        )

    @_endpoint(router, "POST", "/morph", response_model=schemas.Morph)
    async def morph(body: schemas.MorphBody) -> Any:
        """A place between two samples."""
        ends = (body.first, body.last)
        return JSONResponse(
            await queue.run(answers.morph, exploration, ends, body.along, body.position)
        )


def _add_selections(router: Any, exploration: Exploration, queue: CallQueue) -> None:
    """Add the addresses of selections."""
    from fastapi.responses import JSONResponse, StreamingResponse

    @_endpoint(router, "POST", "/selection", response_model=schemas.Selection)
    async def selection(body: schemas.Rows) -> Any:
        """Means of a selection before and after alignment."""
        return JSONResponse(await queue.run(answers.selection, exploration, body.rows))

    @_endpoint(
        router,
        "POST",
        "/export",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    async def export(body: schemas.Rows) -> Any:
        """A selection as a table with commas."""
        blocks = await queue.run(answers.export, exploration, body.rows)
        headers = {"content-disposition": 'attachment; filename="selection.csv"'}
        return StreamingResponse(blocks, media_type="text/csv", headers=headers)


def _add_own_samples(router: Any, exploration: Exploration, queue: CallQueue) -> None:
    """Add the addresses that take own samples."""
    from fastapi import Request
    from fastapi.responses import JSONResponse

    @_endpoint(router, "POST", "/embed", response_model=schemas.EmbedAnswer, openapi_extra=UPLOAD)
    async def embed(request: Request) -> Any:
        """Codes, deformations and clusters of own samples."""
        upload = await _upload(request)
        return JSONResponse(await queue.run(lambda: answers.embed_own(exploration, _read(upload))))

    @_endpoint(router, "POST", "/align", response_model=schemas.AlignAnswer, openapi_extra=UPLOAD)
    async def align(request: Request) -> Any:
        """Views of own samples, with their neighbours in the collection."""
        upload = await _upload(request)
        return JSONResponse(await queue.run(lambda: answers.align_own(exploration, _read(upload))))

    def _read(upload: tuple[str | None, bytes]) -> Prepared:
        name, content = upload
        if name is not None:
            return prepared_file(exploration.viewer, name, content)
        return prepared_values(exploration.viewer, samples_of_json(content))

    async def _upload(request: Request) -> tuple[str | None, bytes]:
        """Name and content of an uploaded file; no name for JSON."""
        form = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if form == "application/json":
            return None, await request.body()
        if form != "multipart/form-data":
            raise Refusal(
                415, f"content-type {form[:80]!r} is not accepted; send JSON or multipart/form-data"
            )
        async with request.form(max_files=1, max_fields=1) as fields:
            file = fields.get("file")
            if file is None or isinstance(file, str):
                raise Refusal(422, "file is missing; send one file in the field 'file'")
            return file.filename or "", await file.read()


def samples_of_json(content: bytes) -> Any:
    """The field `samples` of a body.

    Args:
        content: JSON.

    Raises:
        Refusal: It is no JSON, or has other fields.

    >>> samples_of_json(b'{"samples": [[1.0]]}')
    [[1.0]]
    """
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        raise Refusal(422, 'the body is no JSON; send {"samples": [...]}') from None
    if not isinstance(record, dict) or set(record) != {"samples"}:
        raise Refusal(422, 'the body has not the field samples alone; send {"samples": [...]}')
    return record["samples"]
