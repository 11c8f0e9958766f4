"""The engine, its registry and its base images, for the tests beside this file."""

from .fixtures import _running, base_images, docker, registry

__all__ = ["_running", "base_images", "docker", "registry"]
