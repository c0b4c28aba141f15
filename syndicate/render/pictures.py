"""Pictures made fit for who takes only some: JPG or PNG, of so many bytes and no more."""

from __future__ import annotations

import warnings
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from syndicate.errors import RenderError

PIXELS = 40_000_000  # more is no photograph but a bomb: a small file that fills the memory
_WIDEST = 1920  # pixels: what a phone shows large; never made wider than it is
_STEPS = tuple((quality, share) for share in (1.0, 0.7, 0.5, 0.3, 0.15) for quality in (88, 75, 60))


def fit(picture: bytes, limit: int) -> tuple[bytes, str]:
    """The picture as JPG or PNG of at most `limit` bytes, and its media type; as it is where it fits.

    Raises RenderError when it is none, or cannot be made so small.
    """
    opened = _opened(picture)
    kinds = {"PNG": "image/png", "JPEG": "image/jpeg"}
    if opened.format in kinds and len(picture) <= limit:
        return picture, kinds[opened.format]
    try:
        upright = ImageOps.exif_transpose(opened)
        ground = Image.new("RGB", upright.size, "white")
        ground.paste(upright.convert("RGBA"), mask=upright.convert("RGBA").getchannel("A"))
    except (OSError, ValueError, SyntaxError, MemoryError) as e:
        raise RenderError(f"a picture cannot be read: {e}") from e
    for quality, share in _STEPS:
        made = _jpeg(ground, quality, share)
        if len(made) <= limit:
            return made, kinds["JPEG"]
    raise RenderError(
        f"a picture of {ground.width}×{ground.height} cannot be made smaller than {limit} bytes"
    )


def _opened(picture: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Pillow's own, smaller, limit
            opened = Image.open(BytesIO(picture))
    except Image.DecompressionBombError as e:
        raise RenderError("a picture is too large: it has too many pixels") from e
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as e:
        raise RenderError("a picture cannot be read: it is none that we know") from e
    if opened.width * opened.height > PIXELS:
        raise RenderError(f"a picture of {opened.width}×{opened.height} is too large")
    return opened


def _jpeg(picture: Image.Image, quality: int, share: float) -> bytes:
    share *= min(1.0, _WIDEST / picture.width)
    size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
    packed = BytesIO()
    (picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)).save(
        packed, "JPEG", quality=quality, optimize=True
    )
    return packed.getvalue()
