"""A local page and an HTTP service: uploads in, larger pictures out, nothing else."""
