"""What goes over the wire, as types: one module for each subject of the API.

Source: docs/jiko-customer-api.yaml, which says of every field whether it is documented.
"""
