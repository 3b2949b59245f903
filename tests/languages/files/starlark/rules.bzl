"""Rules for maps."""

load("//tools:map.bzl", "map_tool")

# Makes tiles of a map.
def map_tiles(name, source, zoom = 12):
    native.genrule(
        name = name,
        srcs = [source],
        cmd = "tile --zoom %d" % zoom,
    )

def _impl(ctx):
    return [DefaultInfo(files = depset(ctx.files.srcs))]

tile_set = rule(implementation = _impl)

map_tiles(
    name = "harbor",
    source = "harbor.osm",
)
