"""openapi-python-client as a process, with our names and with our quoting functions as filters of its templates."""

import openapi_python_client
from openapi_python_client.cli import app

from contract_watch.escaping import escape_markdown, format_code_span, quote_toml
from contract_watch.generator.naming import adapt_generator


def run_generator() -> None:
    """Run the generator with the command line of this process."""
    adapt_generator()
    openapi_python_client.TEMPLATE_FILTERS |= {
        "code_span": format_code_span,
        "escape_markdown": escape_markdown,
        "quote_toml": quote_toml,
    }
    app()
