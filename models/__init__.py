"""Offline: papers and interactions in, one artifact out. Knows no server, no Redis, no gRPC."""
