"""The shapes of the API's answers, where they are not those of the domain's own dataclasses."""
