"""Tests of app/scale.py under a real Ray Serve: `make test-scale`. Plain pytest leaves them out, as Ray is an extra."""
