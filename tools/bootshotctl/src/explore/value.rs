//! What stands in a cell: shown as the tables of the other commands show it, sorted as what it is.

use std::borrow::Cow;
use std::cmp::Ordering;

use bootshot_reader::{Hex, Time};

use crate::output::NOTHING;
use crate::shown;

/// A cell.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// Not known, or there is none.
    Nothing,
    /// Text, which may hold anything.
    Text(Cow<'a, str>),
    /// A decimal number.
    Number(u64),
    /// A number that is shown with something about it: `(40)`, `98300*`.
    Marked(u64, String),
    /// Bytes.
    Size(u64),
    /// An address, a handle, a mask.
    Hex(Hex),
    /// A moment.
    Time(Time),
}

impl<'a> Value<'a> {
    /// Text that lives as long as the record.
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// Text made for the cell.
    pub fn made(text: impl Into<String>) -> Self {
        Self::Text(Cow::Owned(text.into()))
    }

    /// What `value` makes of it, where it is there.
    pub fn optional<T>(known: Option<T>, value: impl FnOnce(T) -> Self) -> Self {
        known.map_or(Self::Nothing, value)
    }

    /// `yes`, `no`.
    pub fn yes_or_no(known: Option<bool>) -> Self {
        Self::optional(known, |yes| Self::text(if yes { "yes" } else { "no" }))
    }

    /// As it is shown: nothing in it steers a terminal.
    pub fn shown(&self) -> String {
        match self {
            Self::Nothing => NOTHING.to_owned(),
            Self::Text(text) => shown::visible(text),
            Self::Number(number) => number.to_string(),
            Self::Marked(_, text) => shown::visible(text),
            Self::Size(bytes) => shown::size(*bytes),
            Self::Hex(hex) => hex.to_string(),
            Self::Time(time) => shown::moment(*time),
        }
    }

    /// What it is sorted by.
    pub fn key(&self) -> Key {
        match self {
            Self::Nothing => Key::Nothing,
            Self::Text(text) => Key::Text(text.to_lowercase()),
            Self::Number(number) | Self::Marked(number, _) | Self::Size(number) => {
                Key::Number(*number)
            }
            Self::Hex(hex) => Key::Number(hex.0),
            Self::Time(time) => Key::Number(time.ticks().unsigned_abs()),
        }
    }
}

/// What rows are sorted by.
#[derive(PartialEq, Eq, Debug)]
pub enum Key {
    Number(u64),
    Text(String),
    Nothing,
}

impl Key {
    /// The order of two rows; those without a value come last in either direction.
    pub fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let order = match (self, other) {
            (Self::Nothing, Self::Nothing) => return Ordering::Equal,
            (Self::Nothing, _) => return Ordering::Greater,
            (_, Self::Nothing) => return Ordering::Less,
            (Self::Number(one), Self::Number(other)) => one.cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        if descending { order.reverse() } else { order }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_as_numbers_and_text_without_regard_to_case() {
        let before = |one: Value<'_>, other: Value<'_>| {
            one.key().compare(&other.key(), false) == Ordering::Less
                && one.key().compare(&other.key(), true) == Ordering::Greater
        };
        assert!(before(Value::Number(9), Value::Number(10)));
        assert!(before(Value::Size(1023), Value::Size(1024)));
        assert!(before(Value::Hex(Hex(0x9)), Value::Hex(Hex(0x10))));
        assert!(before(Value::Marked(9, "(9)".into()), Value::Number(10)));
        assert!(before(Value::text("alpha"), Value::text("Beta")));
    }

    #[test]
    fn what_is_not_known_comes_last_in_both_directions() {
        for descending in [false, true] {
            let order = Key::Nothing.compare(&Key::Number(1), descending);
            assert_eq!(order, Ordering::Greater);
        }
    }

    #[test]
    fn text_is_shown_escaped() {
        assert_eq!(Value::text("\x1b[2J").shown(), "\\u{1b}[2J");
        assert_eq!(Value::Nothing.shown(), "-");
    }
}
