"""Every theme: each role has a look, text can be read, and what must be told apart can be, without color too."""

from __future__ import annotations

import pytest
from rich.color import Color, ColorSystem, ColorType
from rich.segment import Segment
from rich.style import Style
from textual.filter import NoColor
from textual.geometry import Region

from tests.render.room import SEEN
from tui_backprop.render.draw.context import ASCII, UTF8
from tui_backprop.render.draw.spans import ROLES
from tui_backprop.tui.colors import GROUNDS, LOOKS, THEMES
from tui_backprop.tui.theme import Printable, Unpainted

PHASES = ("forward", "loss", "backward", "update")
METHODS = ("naive", "batched", "spsa", "backprop")
READ = ("text", "strong", "muted", "title", *PHASES, *METHODS, "mark", "key", "good", "bad")
LEVELS = {"true": ColorSystem.TRUECOLOR, "256": ColorSystem.EIGHT_BIT}
OWN = ("terminal", "colorless")

# Background, and the sixteen colors, of schemes that are common: four dark ones and four light ones.
XTERM = (
    "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 "
    "7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff"
)
VGA = (
    "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa "
    "555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff"
)
TANGO = (
    "2e3436 cc0000 4e9a06 c4a000 3465a4 75507b 06989a d3d7cf "
    "555753 ef2929 8ae234 fce94f 729fcf ad7fa8 34e2e2 eeeeec"
)
SOLARIZED = (
    "073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5 "
    "002b36 cb4b16 586e75 657b83 839496 6c71c4 93a1a1 fdf6e3"
)
MAC = (
    "000000 990000 00a600 999900 0000b2 b200b2 00a6b2 bfbfbf "
    "666666 e50000 00d900 e5e500 0000ff e500e5 00e5e5 e5e5e5"
)
SCHEMES = {
    "xterm": ("000000", XTERM), "vga": ("000000", VGA), "tango": ("300a24", TANGO),
    "solarized": ("002b36", SOLARIZED),
    "xterm light": ("ffffff", XTERM), "tango light": ("ffffff", TANGO), "solarized light": ("fdf6e3", SOLARIZED),
    "mac light": ("ffffff", MAC),
}  # fmt: skip


def luminance(color: Color) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    parts = [part / 255 for part in color.get_truecolor()]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, other: Color) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def ground(name: str, theme: str) -> Color:
    return Color.parse(GROUNDS[name][THEMES.index(theme)])


def codes(style: Style, level: ColorSystem) -> str:
    """What the terminal is told of a style."""
    colors = [
        c.downgrade(level).get_ansi_codes(i == 0) for i, c in enumerate((style.color, style.bgcolor)) if c
    ]
    return ";".join([*style.without_color.render("x", color_system=level).split("x")[:1], *sum(colors, ())])


@pytest.mark.parametrize("theme", THEMES)
def test_every_role_has_a_look(theme):
    assert set(LOOKS[theme]) == set(ROLES)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_text_of_every_role_can_be_read(theme, level):
    """At least 4.5:1, also in the bars at the top and the bottom; lines and what is left aside, at least 1.8:1."""
    for under, roles, least in (("background", READ, 4.5), ("surface", READ, 4.5), ("background", SEEN, 1.8)):
        behind = ground(under, theme).downgrade(LEVELS[level])
        for role in roles:
            found = contrast(LOOKS[theme][role].color.downgrade(LEVELS[level]), behind)
            assert found >= least, f"{role} on {under}: {found:.2f}"


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_field_and_the_cursor_can_be_read_and_stand_out(theme, level):
    field, system = LOOKS[theme]["field"], LEVELS[level]
    behind = ground("background", theme).downgrade(system)
    assert contrast(field.color.downgrade(system), field.bgcolor.downgrade(system)) >= 4.5
    assert contrast(field.bgcolor.downgrade(system), behind) >= 1.5
    assert LOOKS[theme]["cursor"].reverse


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("theme", ["dark", "light", "terminal"])
@pytest.mark.parametrize(
    "roles", [PHASES, METHODS, ("good", "bad"), ("text", "muted", "strong", "cursor", "field")]
)
def test_roles_that_mean_something_else_look_different(theme, level, roles):
    looks = {codes(LOOKS[theme][role], LEVELS[level]) for role in roles}
    assert len(looks) == len(roles)


@pytest.mark.parametrize("theme", OWN)
def test_without_a_ground_of_its_own_the_cursor_and_fields_are_reversed_and_nothing_else_is(theme):
    assert [role for role, look in LOOKS[theme].items() if look.reverse] == ["cursor", "field"]
    assert not [role for role, look in LOOKS[theme].items() if look.bgcolor]


def test_the_terminal_theme_names_only_colors_of_the_sixteen():
    kinds = {look.color.type for look in LOOKS["terminal"].values() if look.color}
    assert kinds == {ColorType.STANDARD}


def test_without_color_there_is_none():
    assert not [role for role, look in LOOKS["colorless"].items() if look.color or look.bgcolor]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_terminal_theme_can_be_read_in_dark_and_in_light_schemes(scheme):
    """The colors are not ours, so neither is 4.5:1: it is what the best choice of sixteen comes to."""
    behind, colors = SCHEMES[scheme]
    for role, look in LOOKS["terminal"].items():
        if look.color:
            shown = Color.parse(f"#{colors.split()[look.color.number]}")
            least = 2.7 if role in (*PHASES[:3], "bad") else 1.9
            assert contrast(shown, Color.parse(f"#{behind}")) >= least, role


def test_what_stands_for_dim_and_for_reversed_is_drawn_so():
    dim, bar = Style(color="bright_black"), Style(color="default", bgcolor="white")
    drawn = Unpainted().apply([Segment("a", dim), Segment("b", bar), Segment("c", Style(color="red"))], None)
    assert [segment.style for segment in drawn] == [
        Style(color="default", dim=True),
        Style(color="default", bgcolor="default", reverse=True, dim=False),
        Style(color="red"),
    ]


SCREENS = {
    "walk": ["end", "left"], "help": ["question_mark"], "form": ["1"], "choice": ["1", "down", "right"],
    "error": ["1", "ctrl+e", "x"], "find": ["slash", "W", "x", "enter"], "confusion": ["C"],
    "commands": ["ctrl+p", "s", "down"], "blame": ["b"], "cost": ["3"], "curves": ["c"], "train": ["T"],
    "flow": ["f"],
}  # fmt: skip


BOXES = "#help, #find, #confusion, #palette"  # of screens over the app, which is veiled then


async def segments(ui, screen):
    """All that a screen shows, piece by piece, without what is veiled."""
    await ui.press(*SCREENS[screen])
    top = ui.app.screen
    await ui.settled()
    strips, boxes = top._compositor.render_strips(), top.query(BOXES)
    x, y, columns, rows = Region.from_union([box.region for box in boxes]) if boxes else top.region
    shown = [strip.crop(x, x + columns) for strip in strips[y : y + rows]]
    return [segment for strip in shown for segment in strip if segment.style]


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("theme", THEMES)
async def test_every_screen_can_be_read(open_app, theme, screen):
    """Of what Textual draws itself, too: colors are those that the theme may use, and words have 4.5:1 at least."""
    async with open_app(theme=theme) as ui:
        for text, style, _ in await segments(ui, screen):
            used = [c for c in (style.color, style.bgcolor) if c and c.type is not ColorType.DEFAULT]
            if theme == "colorless":
                assert not used, (text, style)
            elif theme == "terminal":
                assert style.bgcolor is None or style.bgcolor.is_default, (text, style)
                assert not [c for c in used if c.type is not ColorType.STANDARD], (text, style)
            elif text.strip(" ▁▔▕▏▎▊█") and style.color != style.bgcolor:
                least = 4.5 if any(character.isalnum() for character in text) else 1.7
                system = ColorSystem.EIGHT_BIT
                found = contrast(style.color.downgrade(system), style.bgcolor.downgrade(system))
                assert found >= least, (text, style, found)


@pytest.mark.parametrize("theme", OWN)
@pytest.mark.parametrize(
    ("screen", "text"), [("walk", " 2 walk "), ("choice", "leaky-relu"), ("commands", "switch the clock")]
)
async def test_what_is_selected_is_reversed(open_app, theme, screen, text):
    async with open_app(theme=theme) as ui:
        reversed_texts = [s.text for s in await segments(ui, screen) if s.style.reverse]
        assert any(text.lower() in each.lower() for each in reversed_texts), reversed_texts


@pytest.mark.parametrize("theme", THEMES)
async def test_the_panel_with_the_keys_has_another_border_and_a_bold_title(open_app, theme):
    async with open_app(theme=theme) as ui:
        walk, cost = ui.app.query_one("#walk"), ui.app.query_one("#cost")
        assert (walk.styles.border != cost.styles.border) is True
        assert walk.styles.border_title_style.bold
        assert (walk.styles.border.top[0] != cost.styles.border.top[0]) is (theme in OWN)


@pytest.mark.parametrize("theme", THEMES)
async def test_plain_characters_are_enough(open_app, theme):
    async with open_app(theme=theme, context=ASCII) as ui:
        for screen in ("walk", "help", "confusion"):
            assert all(segment.text.isascii() for segment in await segments(ui, screen)), screen
            await ui.press("escape")


async def test_another_theme_is_shown_at_once(open_app):
    """Nothing of the last one is kept."""
    async with open_app(theme="dark", context=UTF8) as ui:
        ui.app.theme = "light"
        await ui.settled()
        dark = Color.parse(GROUNDS["background"][0])
        strips = ui.app.screen._compositor.render_strips()
        assert not [s for strip in strips for s in strip if s.style and s.style.bgcolor == dark]


async def test_filters_are_those_of_the_theme(open_app):
    async with open_app(theme="colorless") as ui:
        assert [type(each) for each in ui.app.get_line_filters()] == [Unpainted, NoColor, Printable]
