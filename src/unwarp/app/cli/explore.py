"""The command that opens the web explorer: `explore`."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated

import typer

from unwarp.app.cli.messages import say
from unwarp.app.cli.options import (
    DeviceOption,
    JsonOption,
    ModelArgument,
    QuietOption,
    command,
)
from unwarp.app.inventory import check_source
from unwarp.disk.paths import absolute

app = typer.Typer()

DataOption = Annotated[
    str | None,
    typer.Option(
        help="Folder, file or built-in data set to show; by default the data of the run.",
        metavar="SOURCE",
        callback=lambda source: None if source is None else check_source(source),
    ),
]
HostOption = Annotated[
    str, typer.Option(help="Address to listen on; others than loopback need --token.")
]
PortOption = Annotated[
    int, typer.Option(help="Port to listen on; 0 takes any that is free.", min=0, max=65535)
]
TokenOption = Annotated[
    str | None,
    typer.Option(help="Token in the address of the page; by default a random one."),
]
BrowserOption = Annotated[
    bool, typer.Option("--no-browser", help="Print the address and open no browser.")
]


@command(app)
def explore(
    model: ModelArgument,
    data: DataOption = None,
    host: HostOption = "127.0.0.1",
    token: TokenOption = None,
    port: PortOption = 0,
    no_browser: BrowserOption = False,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Show a run or a model in the browser.

    The page has maps, samples, sliders and selections. A server on this machine embeds the samples
    once and answers the page; no other host is asked. The page needs the token in the printed
    address. Ctrl-C ends the server.

    Args:
        model: Folder of a run or of a model.
        data: Samples to show; None for those of the run. A model without data has sliders alone.
        host: Address to listen on.
        token: Token of the page; needed where other machines can reach the server.
        port: Port to listen on.
        no_browser: Whether to print the address alone.
        device: Device that embeds the samples.
        as_json: Whether to print the address as JSON.
        quiet: Whether to show the address alone.
    """
    from unwarp.app.explorer.access import check_token
    from unwarp.app.explorer.opening import open_exploration
    from unwarp.app.explorer.server import check_packages, serve

    check_packages()
    token = check_token(host, token)
    tell = (lambda line: None) if quiet else say
    exploration = open_exploration(model, None if data is None else absolute(data), device, tell)
    serve(
        exploration,
        host=host,
        port=port,
        token=token,
        has_browser=not no_browser,
        on_address=partial(_print_address, as_json),
    )


def _print_address(as_json: bool, address: str) -> None:
    """Print where the page is."""
    text = json.dumps({"address": address}) if as_json else f"open {address} (Ctrl-C ends it)"
    typer.echo(text)
