//! Draws what the explorer shows. Only rows that are on the screen are looked at.

use ratatui::Frame;
use ratatui::layout::{Alignment, Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::widgets::{Paragraph, Wrap};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::explore::explorer::{Explorer, Mode, Page, Scope};
use crate::explore::list::Sort;
use crate::explore::matching::Needle;
use crate::explore::table::Table;
use crate::explore::view::{Pane, View};
use crate::output::Align;
use crate::shown;

/// The smallest terminal that rows are drawn on.
const LEAST_WIDTH: u16 = 40;
const LEAST_HEIGHT: u16 = 8;

/// Blanks between two columns.
const GAP: u16 = 2;

/// The width that the last column keeps; other columns go before it gets narrower.
const LEAST_LAST: u16 = 28;

/// The width it keeps when nothing else could go but the column that rows are sorted by.
const LEAST_SORTED: u16 = 8;

/// Generations a tree indents; what lies deeper stands at the same place.
const MAXIMUM_INDENT: usize = 16;

/// The widest name on a page of details or keys.
const WIDEST_NAME: usize = 20;

/// What stands where text was cut.
const CUT: char = '…';

/// How things are told apart: by colours, or where the person wants none, without.
#[derive(Clone, Copy)]
pub struct Look {
    title: Style,
    warning: Style,
    heading: Style,
    chosen: Style,
    found: Style,
    quiet: Style,
}

impl Look {
    pub fn new(colours: bool) -> Self {
        let plain = Style::new();
        let reversed = plain.add_modifier(Modifier::REVERSED);
        let bold = plain.add_modifier(Modifier::BOLD);
        let underlined = bold.add_modifier(Modifier::UNDERLINED);
        if colours {
            Self {
                title: bold.fg(Color::Cyan),
                warning: bold.fg(Color::White).bg(Color::Red),
                heading: bold.fg(Color::Cyan),
                chosen: reversed,
                found: underlined.fg(Color::Yellow),
                quiet: plain.fg(Color::DarkGray),
            }
        } else {
            Self {
                title: bold,
                warning: reversed.add_modifier(Modifier::BOLD),
                heading: bold,
                chosen: reversed,
                found: underlined,
                quiet: plain,
            }
        }
    }
}

/// Draws everything.
pub fn screen(frame: &mut Frame<'_>, explorer: &mut Explorer, look: &Look) {
    let area = frame.area();
    if area.width < LEAST_WIDTH || area.height < LEAST_HEIGHT {
        let sentence = format!(
            "This terminal is too small: {LEAST_WIDTH} columns and {LEAST_HEIGHT} lines are needed. q leaves."
        );
        frame.render_widget(Paragraph::new(sentence).wrap(Wrap { trim: true }), area);
        return;
    }
    let mut lines = area.rows();
    let mut line = || lines.next().unwrap_or_default();
    title(frame, explorer, look, line());
    if let Some(warning) = &explorer.book.identity.warning {
        let place = line();
        frame.buffer_mut().set_style(place, look.warning);
        text(frame, place, warning, look.warning);
    }
    tabs(frame, explorer, look, line());
    let views_line = line();
    let body_top = views_line.y + 1;
    let bottom = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    let body = Rect {
        y: body_top,
        height: bottom.y - body_top,
        ..area
    };
    views(frame, explorer, look, views_line);
    let mut mode = std::mem::replace(&mut explorer.mode, Mode::Browse);
    if let Mode::Page(page) = &mut mode {
        let upto = self::page(frame, page, look, body);
        text(frame, bottom, &upto, look.quiet);
        // Its keys move by the height of a screen as well.
        explorer.on_screen(body.height.saturating_sub(1).into());
        explorer.mode = mode;
        return;
    }
    explorer.mode = mode;
    rows(frame, explorer, look, body);
    prompt(frame, explorer, look, bottom);
}

/// Writes as much of a text as there is room for; tells how wide that is.
fn text(frame: &mut Frame<'_>, place: Rect, text: &str, style: Style) -> u16 {
    let text = cut(text, place.width);
    let width = width_of(&text);
    let buffer = frame.buffer_mut();
    buffer.set_stringn(place.x, place.y, text, place.width.into(), style);
    width
}

fn width_of(text: &str) -> u16 {
    text.width().try_into().unwrap_or(u16::MAX)
}

/// The text, or its beginning with a mark, in `width` columns.
fn cut(text: &str, width: u16) -> String {
    if text.width() <= width.into() {
        return text.to_owned();
    }
    let mut left = usize::from(width).saturating_sub(1);
    let mut shown = String::new();
    for character in text.chars() {
        let width = character.width().unwrap_or(0);
        if width > left {
            break;
        }
        left -= width;
        shown.push(character);
    }
    if width != 0 {
        shown.push(CUT);
    }
    shown
}

/// The text, or its end with a mark, in `width` columns.
fn cut_before(text: &str, width: u16) -> String {
    if text.width() <= width.into() {
        return text.to_owned();
    }
    let backwards: String = text.chars().rev().collect();
    cut(&backwards, width).chars().rev().collect()
}

/// Words one after the other, one of them chosen.
fn choices<'a>(
    frame: &mut Frame<'_>,
    place: Rect,
    look: &Look,
    words: impl Iterator<Item = (String, bool)> + 'a,
) -> u16 {
    let mut x = 0;
    for (word, chosen) in words {
        let style = if chosen { look.chosen } else { Style::new() };
        let left = Rect {
            x: place.x + x,
            width: place.width - x,
            ..place
        };
        x += text(frame, left, &format!(" {word} "), style);
        x = (x + 1).min(place.width);
    }
    x
}

fn title(frame: &mut Frame<'_>, explorer: &Explorer, look: &Look, place: Rect) {
    let identity = &explorer.book.identity;
    let file = format!("bootshotctl explore {}", identity.file);
    let used = text(frame, place, &file, look.title);
    let left = place.width.saturating_sub(used + GAP);
    let right = Rect {
        x: place.right() - left,
        width: left,
        ..place
    };
    let what = cut(&identity.what, left);
    frame.render_widget(Paragraph::new(what).alignment(Alignment::Right), right);
}

fn tabs(frame: &mut Frame<'_>, explorer: &Explorer, look: &Look, place: Rect) {
    let narrow = place.width < 80;
    let words = Pane::ALL.into_iter().map(|pane| {
        let (number, title) = (pane as usize + 1, pane.title());
        let word = match (pane, narrow) {
            // The registry's views are about different things: no number stands for them.
            (Pane::Registry, _) | (_, true) => format!("{number} {title}"),
            _ => format!("{number} {title} {}", explorer.row_count(pane)),
        };
        (word, pane == explorer.pane())
    });
    choices(frame, place, look, words);
}

/// The views of the pane, and how many rows of how many are shown.
fn views(frame: &mut Frame<'_>, explorer: &Explorer, look: &Look, place: Rect) {
    let list = explorer.list();
    let mut right = String::new();
    if !list.filter().is_empty() {
        right += &format!("filter \"{}\": ", shown::visible(list.filter()));
        if let Some(percent) = list.filtered() {
            right += &format!("{percent} %, ");
        }
    }
    let place_of = if list.len() == 0 {
        0
    } else {
        list.cursor() + 1
    };
    right += &format!("{place_of} of {}", list.len());
    if list.len() != list.row_count() {
        right += &format!(" ({})", list.row_count());
    }
    let right = cut(&right, place.width / 2);
    let left = Rect {
        width: place.width - width_of(&right) - 1,
        ..place
    };
    let pane = explorer.pane();
    if pane == Pane::Handles {
        let whose = match explorer.scope() {
            Scope::All => "of all processes".to_owned(),
            Scope::OfProcess(pid) => format!("of {}", explorer.book.process_name(pid)),
            Scope::ToObject(row) => {
                let object = &explorer.book.objects.rows[row as usize];
                let name = shown::visible(&object.naming.to_string());
                format!("to the {} {name}", shown::visible(&object.object_type))
            }
        };
        choices(frame, left, look, std::iter::once((whose, true)));
    } else {
        // The chosen one is to be seen, so those before it go where there is no room.
        let current = explorer.view();
        let mut first = 0;
        let views = pane.views();
        let chosen = views.iter().position(|view| *view == current);
        let width =
            |views: &[View]| -> usize { views.iter().map(|view| view.title().len() + 3).sum() };
        while first < chosen.unwrap_or_default()
            && width(&views[first..=chosen.unwrap_or_default()]) > left.width.into()
        {
            first += 1;
        }
        let words = views[first..]
            .iter()
            .map(|view| (view.title().to_owned(), *view == current));
        choices(frame, left, look, words);
    }
    let x = place.right() - width_of(&right);
    frame
        .buffer_mut()
        .set_string(x, place.y, right, Style::new());
}

/// A column on the screen.
struct Shown {
    column: usize,
    x: u16,
    width: u16,
}

/// Of these columns those that there is room for: the last one always, that by which rows are sorted, and from the left on
/// the others.
fn columns(table: &dyn Table, used: &[usize], sort: Option<Sort>, width: u16) -> Vec<Shown> {
    let Some((last, others)) = used.split_last() else {
        return Vec::new();
    };
    let wide = |column: usize| {
        let heading = table.heading(column);
        let sorted = sort.is_some_and(|sort| sort.column == column);
        let title = width_of(heading.title) + u16::from(sorted) * 2;
        heading.width.max(title)
    };
    let mut kept = others.to_vec();
    let taken = |kept: &[usize]| -> u16 { kept.iter().map(|column| wide(*column) + GAP).sum() };
    let is_sorted = |column: usize| sort.is_some_and(|sort| sort.column == column);
    let is_main = |column: usize| table.main() == column;
    while taken(&kept) + LEAST_LAST > width {
        let other = |column: &usize| !is_sorted(*column) && !is_main(*column);
        let goes = kept.iter().rposition(other).or_else(|| {
            let sorted = kept.iter().rposition(|column| !is_main(*column));
            sorted.filter(|_| taken(&kept) + LEAST_SORTED > width)
        });
        match goes {
            Some(place) => _ = kept.remove(place),
            None => break,
        }
    }
    let mut x = 0;
    let mut shown: Vec<Shown> = kept
        .into_iter()
        .map(|column| {
            let width = wide(column);
            let place = x;
            x += width + GAP;
            Shown {
                column,
                x: place,
                width,
            }
        })
        .collect();
    if x < width {
        shown.push(Shown {
            column: *last,
            x,
            width: width - x,
        });
    }
    shown
}

fn rows(frame: &mut Frame<'_>, explorer: &mut Explorer, look: &Look, area: Rect) {
    let height = area.height.saturating_sub(1);
    let (top, rows) = explorer.on_screen(height.into());
    let needle = explorer.needle();
    let view = explorer.view();
    let table = explorer.book.table(view);
    let list = explorer.list();
    let columns = columns(table, &list.used_columns(), list.sort, area.width);
    for shown in &columns {
        let heading = table.heading(shown.column);
        let mut title = heading.title.to_owned();
        if let Some(sort) = list.sort.filter(|sort| sort.column == shown.column) {
            title += if sort.descending { " ▼" } else { " ▲" };
        }
        let place = Rect::new(area.x + shown.x, area.y, shown.width, 1);
        aligned(frame, place, &title, heading.align, look.heading);
    }
    if rows.is_empty() {
        let sentence = match (list.filter().is_empty(), list.filtered()) {
            (true, _) => shown::visible(&explorer.book.why_empty(view)),
            (false, None) => "no row has this text; Esc takes the filter away".to_owned(),
            (false, Some(_)) => String::new(),
        };
        let place = Rect {
            y: area.y + 1,
            height,
            ..area
        };
        frame.render_widget(Paragraph::new(sentence).wrap(Wrap { trim: true }), place);
        return;
    }
    for (number, row) in (0_u16..).zip(&rows) {
        let y = area.y + 1 + number;
        let line = Rect::new(area.x, y, area.width, 1);
        if top + usize::from(number) == list.cursor() {
            frame.buffer_mut().set_style(line, look.chosen);
        }
        for shown in &columns {
            let align = table.heading(shown.column).align;
            let cell = if list.shows_tree() && shown.column == table.main() {
                branch(list.branch(*row), &table.label(*row).shown())
            } else {
                table.value(*row, shown.column).shown()
            };
            let place = Rect::new(area.x + shown.x, y, shown.width, 1);
            let (x, cell) = aligned(frame, place, &cell, align, Style::new());
            mark(frame, (x, y), &cell, &needle, look.found);
        }
    }
}

/// A row of a tree: its label behind `+` where others stand below it, `-` where they are shown.
fn branch((depth, open): (u16, Option<bool>), label: &str) -> String {
    let mark = match open {
        None => ' ',
        Some(true) => '-',
        Some(false) => '+',
    };
    let indent = "  ".repeat(usize::from(depth).min(MAXIMUM_INDENT));
    format!("{indent}{mark} {label}")
}

/// Writes a cell; tells where, and what of it had room.
fn aligned(
    frame: &mut Frame<'_>,
    place: Rect,
    cell: &str,
    align: Align,
    style: Style,
) -> (u16, String) {
    // Of a path the end tells more.
    let cell = match cell.starts_with('\\') {
        true => cut_before(cell, place.width),
        false => cut(cell, place.width),
    };
    let x = match align {
        Align::Left => place.x,
        Align::Right => place.right() - width_of(&cell).min(place.width),
    };
    let buffer = frame.buffer_mut();
    buffer.set_stringn(x, place.y, &cell, place.width.into(), style);
    (x, cell)
}

/// Marks what is looked for in a cell that begins there.
fn mark(frame: &mut Frame<'_>, (x, y): (u16, u16), cell: &str, needle: &Needle, style: Style) {
    if let Some(found) = needle.find(cell) {
        let before = width_of(&cell[..found.start]);
        let width = width_of(&cell[found]);
        frame
            .buffer_mut()
            .set_style(Rect::new(x + before, y, width, 1), style);
    }
}

/// The line at the bottom: what is typed, else what there is to say, else the most important keys.
fn prompt(frame: &mut Frame<'_>, explorer: &Explorer, look: &Look, place: Rect) {
    const KEYS: &str = "? help  / search  f filter  > sort  v view  Enter follow  b back  d details  y copy  q leave";
    let typed = match &explorer.mode {
        Mode::Search { text, .. } => Some(format!("/{}", shown::visible(text))),
        Mode::Filter { text, .. } => Some(format!("filter: {}", shown::visible(text))),
        Mode::Browse | Mode::Page(_) => None,
    };
    match (typed, &explorer.message) {
        (Some(typed), message) => {
            let width = text(frame, place, &typed, Style::new());
            let x = (place.x + width).min(place.right() - 1);
            frame.set_cursor_position(Position { x, y: place.y });
            if let Some(message) = message {
                let left = Rect {
                    x: (x + GAP).min(place.right()),
                    width: place.right().saturating_sub(x + GAP),
                    ..place
                };
                text(frame, left, message, look.quiet);
            }
        }
        (None, Some(message)) => _ = text(frame, place, message, look.title),
        (None, None) => _ = text(frame, place, KEYS, look.quiet),
    }
}

/// A page in front of the rows; the line for the bottom.
fn page(frame: &mut Frame<'_>, page: &mut Page, look: &Look, area: Rect) -> String {
    let name_width = page
        .lines
        .iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, _)| name.width().min(WIDEST_NAME))
        .max()
        .unwrap_or(0);
    let behind = u16::try_from(name_width).unwrap_or(u16::MAX) + GAP;
    let room = area.width.saturating_sub(behind).max(1);
    let mut lines: Vec<(&str, String, Style)> = Vec::new();
    for (name, text) in &page.lines {
        // What has no name is a heading.
        let style = match name.is_empty() {
            true => look.heading,
            false => Style::new(),
        };
        let mut name = name.as_str();
        for part in wrapped(text, room) {
            lines.push((name, part, style));
            name = "";
        }
    }
    text(frame, Rect { height: 1, ..area }, &page.title, look.heading);
    let height = usize::from(area.height.saturating_sub(1));
    page.scroll = page.scroll.min(lines.len().saturating_sub(height));
    let on_screen = lines.iter().skip(page.scroll).take(height);
    for (y, (name, part, style)) in (area.y + 1..).zip(on_screen) {
        let line = Rect {
            y,
            height: 1,
            ..area
        };
        let left = Rect {
            width: behind - GAP,
            ..line
        };
        text(frame, left, name, look.heading);
        let right = Rect {
            x: area.x + behind,
            width: room,
            ..line
        };
        text(frame, right, part, *style);
    }
    let end = (page.scroll + height).min(lines.len());
    match end < lines.len() || page.scroll > 0 {
        true => format!(
            "lines {} to {end} of {}; Up Down PgUp PgDn move, any other key closes",
            page.scroll + 1,
            lines.len()
        ),
        false => "any key closes".to_owned(),
    }
}

/// The text in lines of at most `width` columns, broken at blanks where there are any.
fn wrapped(text: &str, width: u16) -> Vec<String> {
    let width = usize::from(width);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let whole = word.trim_end().width();
        if used != 0 && used + whole > width {
            lines.push(String::new());
            used = 0;
        }
        for character in word.chars() {
            let wide = character.width().unwrap_or(0);
            if used + wide > width {
                // A blank at the end of a line need not be seen.
                if character == ' ' {
                    continue;
                }
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(character);
            }
            used += wide;
        }
    }
    lines
}
