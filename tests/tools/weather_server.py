"""A small MCP server on standard input and output, for tests: `python -m tests.tools.weather_server`."""

try:
    from mcp.server import MCPServer as Server  # version 2 of the SDK
except ImportError:
    from mcp.server.fastmcp import FastMCP as Server  # version 1

from pydantic import BaseModel

server = Server("weather")


class Place(BaseModel):
    city: str
    country: str = "Portugal"


class Report(BaseModel):
    city: str
    degrees: int


@server.tool()
def forecast(place: Place, days: int = 1) -> str:
    """Say what the weather will be."""
    return f"{place.city}, {place.country}: sun for {days} day(s)"


@server.tool()
def measure(city: str) -> Report:
    """Measure the temperature."""
    return Report(city=city, degrees=21)


@server.tool()
def alarm(city: str) -> str:
    """Fails."""
    raise ValueError(f"no siren in {city}")


if __name__ == "__main__":
    server.run("stdio")
