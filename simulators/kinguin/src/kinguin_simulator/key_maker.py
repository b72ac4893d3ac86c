"""Makes game keys: random text, or a PNG picture with that text in its pixels.

Letters that look alike in the three-by-five font are left out. The picture
also carries its text in a tEXt chunk (PNG specification, section 11.3.3.2).
"""

import base64
import random
import struct
import zlib

GLYPHS = {
    "A": "25755", "C": "34443", "D": "65556", "E": "74647", "F": "74644", "H": "55755",
    "J": "11153", "K": "55655", "L": "44447", "P": "65644", "R": "65655", "T": "72222",
    "U": "55557", "X": "55255", "Y": "55222", "2": "61247", "3": "61216", "4": "55711",
    "5": "74616", "6": "34757", "7": "71222", "9": "75716", "-": "00700",
}  # fmt: skip
ALPHABET = "".join(glyph for glyph in GLYPHS if glyph != "-")
GROUPS = 3
GROUP_LENGTH = 5
SCALE = 6
PAPER, INK = 255, 20


def key_text(dice: random.Random) -> str:
    """A key such as `AXR2P-9HTK4-UYC7E`."""
    groups = ("".join(dice.choices(ALPHABET, k=GROUP_LENGTH)) for _ in range(GROUPS))
    return "-".join(groups)


def key_picture(text: str) -> str:
    """The key as a grey PNG, base64."""
    rows = _pixel_rows(text)
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    # Each row of pixels starts with its filter type, 0 for none.
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    picture = (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"tEXt", b"Comment\0" + text.encode("latin-1"))
        + _chunk(b"IDAT", pixels)
        + _chunk(b"IEND", b"")
    )
    return base64.b64encode(picture).decode()


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def _pixel_rows(text: str) -> list[bytes]:
    rows = [_row(text, line) for line in range(5)]
    margin = bytes([PAPER]) * len(rows[0])
    return [row for thin in (margin, *rows, margin) for row in [thin] * SCALE]


def _row(text: str, line: int) -> bytes:
    # Three bits a glyph, one empty column after it, one before the first.
    bits = "0" + "".join(f"{int(GLYPHS[letter][line]):03b}0" for letter in text)
    return b"".join(bytes([INK if bit == "1" else PAPER]) * SCALE for bit in bits)
