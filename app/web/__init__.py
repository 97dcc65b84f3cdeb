"""HTTP and HTML. Thin: a route names its inputs, calls one function, shows its result."""
