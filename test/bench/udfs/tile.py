# A map tile of 256 x 256 pixels: the same function is a UDF and a native handler.
import struct
import zlib

import fused


@fused.udf
def udf(bounds: fused.types.Bounds = None):
    west = int(bounds[0])
    rows = b"".join(b"\0" + bytes((west + i * j) % 256 for i in range(256)) for j in range(256))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 256, 256, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
