"""The page of a night: one HTML file that needs no network.

`rendering` fills the templates, `difference` marks what differs between two texts, `strip` draws the last nights. The page
is complete without its script, which only filters, copies and tells the age of the data.
"""

from contract_watch.nights.page.rendering import render_page

__all__ = ["render_page"]
