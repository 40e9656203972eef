"""The pictures of the shipped footage: a film leader in any size, and stills of documents.

The picture is cheap to encode: flat shapes on a still ground, one hand that sweeps a disc once a
second, a bar and a frame counter. A person sees at once that it plays, where it is and whether it
was scaled. An encoder has a hundred bytes to write per frame.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
NIGHT: Colour = (16, 34, 54)
SEA: Colour = (22, 70, 90)
TEAL: Colour = (38, 112, 120)
CREAM: Colour = (246, 236, 214)
ORANGE: Colour = (242, 143, 59)
# Flat patches of known colour let a person (or a test) see a wrong colour matrix or range.
SWATCHES: tuple[Colour, ...] = (
    (235, 235, 230),
    (240, 200, 8),
    (70, 190, 200),
    (94, 176, 88),
    (190, 80, 150),
    (208, 72, 72),
    (60, 90, 190),
)
POSTER_FRAME = 40  # inside the second second: the hand has gone most of its way


@dataclass(frozen=True, slots=True)
class Card:
    """The leader at one size: what never changes, and the two faces the hand uncovers in turn."""

    width: int
    height: int
    fps: int
    still: Image.Image
    faces: tuple[Image.Image, Image.Image]

    @property
    def unit(self) -> float:
        """One 720th of the shorter side: every measure below is given in it."""
        return min(self.width, self.height) / 720

    @property
    def disc(self) -> tuple[int, int, int, int]:
        """Where the disc lies: left, top, right, bottom."""
        return _disc(self.width, self.height)


def make_card(width: int, height: int, fps: int) -> Card:
    """The parts of the leader that every frame of this size shares."""
    still = _ground(width, height)
    unit = min(width, height) / 720
    pen = ImageDraw.Draw(still)
    _draw_corners(pen, width, height, unit)
    _draw_labels(pen, width, height, unit, fps)
    box = _disc(width, height)
    faces = (_face(still, box, unit, None), _face(still, box, unit, TEAL))
    still.paste(faces[0], box[:2])
    return Card(width, height, fps, still, faces)


def draw_frame(card: Card, number: int, seconds: int) -> Image.Image:
    """The leader at frame *number*, counted from 0, of a clip of *seconds*."""
    second, step = divmod(number, card.fps)
    picture = card.still.copy()
    left, top, right, _ = card.disc
    size = right - left
    # The hand uncovers the other face; after a full turn the two change places, so nothing jumps.
    shown, hidden = card.faces if second % 2 == 0 else card.faces[::-1]
    # The hand moves at every second frame, which saves a third of the file; the counter and the bar
    # move at every one, so that each frame differs from the one before.
    swept = _sector(size, step // 2 * 2 / card.fps)
    picture.paste(Image.composite(hidden, shown, swept), (left, top))
    pen = ImageDraw.Draw(picture)
    middle = (left + size / 2, top + size / 2)
    pen.text(middle, str(second + 1), CREAM, _font(230 * card.unit), anchor="mm")
    _draw_progress(pen, card, number, seconds)
    return picture


def draw_poster(width: int, height: int) -> Image.Image:
    """A moment of the leader, as a service would take it for a thumbnail."""
    return draw_frame(make_card(width, height, 30), POSTER_FRAME, 4)


def draw_spritesheet(width: int, height: int) -> Image.Image:
    """Sixteen moments of a four-second clip, in rows of four."""
    sheet = Image.new("RGB", (width, height))
    card = make_card(width, height, 24)
    for tile in range(16):
        moment = draw_frame(card, tile * 6 + 3, 4).resize((width // 4, height // 4))
        row, column = divmod(tile, 4)
        sheet.paste(moment, (column * width // 4, row * height // 4))
    return sheet


def draw_page(width: int, height: int) -> Image.Image:
    """A page of a business document: heading, lines of text, a chart."""
    page = Image.new("RGB", (width, height), (252, 251, 248))
    pen = ImageDraw.Draw(page)
    pen.rectangle((0, 0, 15, height), SEA)
    pen.text((64, 48), "Quarterly review", NIGHT, _font(44))
    pen.text((64, 108), "What changed, and what comes next", TEAL, _font(22))
    for line, length in enumerate((372, 390, 351, 384, 240, 380, 366, 392, 160)):
        top = 176 + line * 30 + (30 if line > 4 else 0)  # a blank line between two paragraphs
        pen.rounded_rectangle((64, top, 64 + length, top + 10), 5, (206, 210, 212))
    for column, value in enumerate((96, 132, 118, 171, 204, 246)):
        left = 540 + column * 60
        colour = ORANGE if column == 5 else TEAL
        pen.rounded_rectangle((left, 440 - value, left + 40, 440), 4, colour)
    pen.line((528, 441, 892, 441), NIGHT, 2)
    pen.text((884, 500), "1", NIGHT, _font(18))
    return page


def _disc(width: int, height: int) -> tuple[int, int, int, int]:
    radius = round(min(width, height) * 0.26)
    x, y = width // 2, round(height * 0.46)
    return x - radius, y - radius, x + radius, y + radius


def _ground(width: int, height: int) -> Image.Image:
    shade = Image.linear_gradient("L").resize((width, height))
    return Image.composite(
        Image.new("RGB", (width, height), SEA), Image.new("RGB", (width, height), NIGHT), shade
    )


def _sector(size: int, share: float) -> Image.Image:
    # Drawn twice as big and halved, because Pillow draws hard edges.
    mask = Image.new("L", (size * 2, size * 2))
    if share:
        box = (4, 4, size * 2 - 5, size * 2 - 5)
        ImageDraw.Draw(mask).pieslice(box, -90, -90 + 360 * share, 255)
    return mask.reduce(2)


def _face(
    still: Image.Image, box: tuple[int, int, int, int], unit: float, fill: Colour | None
) -> Image.Image:
    size = box[2] - box[0]
    face = still.crop(box).resize((size * 2, size * 2))
    pen = ImageDraw.Draw(face)
    if fill:
        pen.ellipse((4, 4, size * 2 - 5, size * 2 - 5), fill)
    pen.ellipse((2, 2, size * 2 - 3, size * 2 - 3), outline=CREAM, width=max(2, round(10 * unit)))
    return face.reduce(2)


def _draw_corners(pen: ImageDraw.ImageDraw, width: int, height: int, unit: float) -> None:
    near, length, thick = round(28 * unit), round(56 * unit), max(1, round(4 * unit))
    for x, along in ((near, 1), (width - 1 - near, -1)):
        for y, down in ((near, 1), (height - 1 - near, -1)):
            across = sorted((x, x + along * length)), sorted((y, y + down * thick))
            upright = sorted((x, x + along * thick)), sorted((y, y + down * length))
            for (left, right), (top, bottom) in (across, upright):
                pen.rectangle((left, top, right - 1, bottom - 1), CREAM)


def _draw_labels(pen: ImageDraw.ImageDraw, width: int, height: int, unit: float, fps: int) -> None:
    font = _font(26 * unit)
    near = 52 * unit
    pen.text((near, near), "SCREENTEST", CREAM, font)
    pen.text((width - near, near), f"{width} x {height}  ·  {fps} fps", CREAM, font, anchor="ra")
    side = round(30 * unit)
    left, top = width - round(near) - side * len(SWATCHES), height - round(100 * unit)
    for number, colour in enumerate(SWATCHES):
        x = left + number * side
        pen.rectangle((x, top, x + side - 1, top + round(26 * unit)), colour)


def _draw_progress(pen: ImageDraw.ImageDraw, card: Card, number: int, seconds: int) -> None:
    unit = card.unit
    near, bottom = 52 * unit, card.height - 52 * unit
    track = card.width - 2 * near
    done = track * (number + 1) / (card.fps * seconds)
    pen.rectangle((near, bottom - 8 * unit, near + track, bottom), NIGHT)
    pen.rectangle((near, bottom - 8 * unit, near + done, bottom), ORANGE)
    # One cell per digit, so that the counter does not dance.
    font, cell = _font(34 * unit), 21 * unit
    second, step = divmod(number, card.fps)
    for place, sign in enumerate(f"{second:02}:{step:02}"):
        x = near + cell * (place + 0.5)
        pen.text((x, card.height - 70 * unit), sign, CREAM, font, anchor="ms")


def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font
