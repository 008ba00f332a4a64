"""Which papers readers choose at present: counted, scored, published, followed and listed."""
