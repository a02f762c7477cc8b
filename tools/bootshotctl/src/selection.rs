//! Which rows and columns are shown: the same options for every command that prints a table.

use std::cmp::Ordering;
use std::str::FromStr;

use bootshot_reader::tables::{self, Cell, Column, Kind, Table};
use bootshot_reader::{Problem, Snapshot};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::error::Error;
use crate::output::{self, Align, NOTHING};
use crate::shown;

const HEADING: &str = "Rows and columns";

/// Options that choose rows and columns.
#[derive(clap::Args)]
pub struct Selection {
    /// Show these columns: keys of the JSON, those of an object in it as job_name; "help" lists them
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', help_heading = HEADING)]
    columns: Vec<String>,
    /// Order by this column, with - in front the greatest first; again for rows that are equal in it
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true, help_heading = HEADING)]
    sort: Vec<String>,
    /// Only rows for which this holds, for instance image=smss.exe; with several, all of them
    #[arg(
        long,
        value_name = "CONDITION",
        help_heading = HEADING,
        long_help = "Only rows for which this holds; with several, all of them:\n\
            image=smss.exe   is it, in any case; of a list, an element is it\n\
            image!=smss.exe  is not\n\
            name~token       contains it, in any case; !~ does not\n\
            handle_count>=100, private_commit>8MiB, user_time<1.5s\n\
            create_time=2026-01-02, create_time>=\"2026-01-02 03:04\"  in that time, from its start on (UTC)\n\
            name=            has none"
    )]
    filter: Vec<Condition>,
}

impl Selection {
    /// Leaves of the records those that are wanted, in the order that is.
    pub fn apply<T: Serialize>(
        &self,
        table: &'static Table,
        records: &mut Vec<T>,
    ) -> Result<(), Error> {
        self.apply_to(&table.keys().collect::<Vec<_>>(), records)
    }

    fn apply_to<T: Serialize>(
        &self,
        columns: &[&'static Column],
        records: &mut Vec<T>,
    ) -> Result<(), Error> {
        let plan = self.plan(columns)?;
        if plan.used.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<(Vec<Cell>, T)> = Vec::with_capacity(records.len());
        for record in records.drain(..) {
            let cells = tables::cells(&plan.used, &record);
            if plan.wants(&cells) {
                rows.push((cells, record));
            }
        }
        rows.sort_by(|(one, _), (other, _)| plan.order(one, other));
        records.extend(rows.into_iter().map(|(_, record)| record));
        Ok(())
    }

    /// Shows `whole`, which has these records in it, as JSON or as `text` has it; with `--columns` these of the records.
    pub fn show<T: Serialize, W: Serialize + ?Sized>(
        &self,
        json: bool,
        table: &'static Table,
        records: &[T],
        whole: &W,
        text: impl FnOnce(&W) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.show_of(
            &table.keys().collect::<Vec<_>>(),
            json,
            records,
            whole,
            text,
        )
    }

    fn show_of<T: Serialize, W: Serialize + ?Sized>(
        &self,
        known: &[&'static Column],
        json: bool,
        records: &[T],
        whole: &W,
        text: impl FnOnce(&W) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.columns.is_empty() {
            return if json {
                output::json(&whole)
            } else {
                text(whole)
            };
        }
        if self.asks_for_help() {
            return help(known);
        }
        let columns = self.chosen(known)?;
        print(
            json,
            &columns,
            true,
            records
                .iter()
                .map(|record| tables::cells(&columns, record))
                .collect(),
        )
    }

    /// The same for records that only this command has, with these columns.
    pub fn show_only<T: Serialize>(
        &self,
        json: bool,
        columns: &'static [Column],
        mut records: Vec<T>,
        text: impl FnOnce(&Vec<T>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let columns: Vec<_> = columns.iter().collect();
        self.apply_to(&columns, &mut records)?;
        self.show_of(&columns, json, &records, &records, text)
    }

    /// Fails where there is no table for these options: it takes `option` to have one.
    pub fn only_with(&self, option: &str) -> Result<(), Error> {
        if self.is_used() {
            return Err(Error::usage(format!(
                "--columns, --sort and --filter go with {option}"
            )));
        }
        Ok(())
    }

    /// Whether any of the options is there.
    pub fn is_used(&self) -> bool {
        !(self.columns.is_empty() && self.sort.is_empty() && self.filter.is_empty())
    }

    /// Shows rows of a table instead of what the command makes of them; what could not be read.
    pub fn show_rows(
        &self,
        json: bool,
        table: &'static Table,
        mut wanted: impl FnMut(&[Cell]) -> bool,
        snapshot: &Snapshot<'_>,
    ) -> Result<Vec<Problem>, Error> {
        let known: Vec<_> = table.columns.iter().collect();
        if self.asks_for_help() {
            return help(&known).map(|()| Vec::new());
        }
        let plan = self.plan(&known)?;
        let columns = match self.columns.is_empty() {
            true => known.clone(),
            false => self.chosen(&known)?,
        };
        let place = |column: &Column| table.place(column.name).unwrap_or_default();
        let of = |row: &[Cell], columns: &[&Column]| -> Vec<Cell> {
            columns
                .iter()
                .map(|column| row[place(column)].clone())
                .collect()
        };
        let mut rows = Vec::new();
        let problems = table.read(snapshot, &mut |row| {
            let used = of(&row, &plan.used);
            if wanted(&row) && plan.wants(&used) {
                rows.push((used, of(&row, &columns)));
            }
        });
        rows.sort_by(|(one, _), (other, _)| plan.order(one, other));
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        print(json, &columns, !self.columns.is_empty(), rows)?;
        Ok(problems)
    }

    fn asks_for_help(&self) -> bool {
        self.columns == ["help"]
    }

    fn chosen(&self, known: &[&'static Column]) -> Result<Vec<&'static Column>, Error> {
        let mut chosen: Vec<&Column> = Vec::new();
        for name in &self.columns {
            let column = find(known, name)?;
            // JSON has each key once, and a table can do the same.
            if !chosen.iter().any(|before| before.name == column.name) {
                chosen.push(column);
            }
        }
        Ok(chosen)
    }

    fn plan<'s>(&'s self, known: &[&'static Column]) -> Result<Plan<'s>, Error> {
        let mut plan = Plan {
            used: Vec::new(),
            conditions: Vec::new(),
            order: Vec::new(),
        };
        for condition in &self.filter {
            let column = find(known, &condition.column)?;
            let wanted = condition.wanted(column)?;
            let place = plan.place(column);
            plan.conditions.push((place, condition.operator, wanted));
        }
        for name in &self.sort {
            let (name, descending) = match name.strip_prefix('-') {
                Some(name) => (name, true),
                None => (name.as_str(), false),
            };
            let place = plan.place(find(known, name)?);
            plan.order.push((place, descending));
        }
        Ok(plan)
    }
}

/// The columns that there are.
fn help(columns: &[&Column]) -> Result<(), Error> {
    let mut table = output::Table::new(&[
        ("COLUMN", Align::Left),
        ("KIND", Align::Left),
        ("MEANING", Align::Left),
    ]);
    for column in columns {
        table.row([
            column.name.to_owned(),
            column.kind.to_string(),
            column.meaning.to_owned(),
        ]);
    }
    table.print()
}

fn names(columns: &[&Column]) -> Vec<&'static str> {
    columns.iter().map(|column| column.name).collect()
}

fn find(known: &[&'static Column], name: &str) -> Result<&'static Column, Error> {
    let found = known
        .iter()
        .find(|column| column.name.eq_ignore_ascii_case(name.trim()));
    found.copied().ok_or_else(|| {
        Error::usage(format!("there is no column \"{name}\" here"))
            .advise(format!("The columns are {}.", names(known).join(", ")))
    })
}

/// What the conditions and the order look at.
struct Plan<'s> {
    used: Vec<&'static Column>,
    /// Which of the used columns, how, and with what it is compared.
    conditions: Vec<(usize, Operator, Wanted<'s>)>,
    /// Which of the used columns, and whether the greatest comes first.
    order: Vec<(usize, bool)>,
}

impl Plan<'_> {
    fn place(&mut self, column: &'static Column) -> usize {
        let known = self.used.iter().position(|used| used.name == column.name);
        known.unwrap_or_else(|| {
            self.used.push(column);
            self.used.len() - 1
        })
    }

    fn wants(&self, cells: &[Cell]) -> bool {
        self.conditions
            .iter()
            .all(|(place, operator, wanted)| operator.holds(&cells[*place], wanted))
    }

    fn order(&self, one: &[Cell], other: &[Cell]) -> Ordering {
        let orders = self.order.iter().map(|&(place, descending)| {
            let (one, other) = (&one[place], &other[place]);
            // What is not known comes last either way.
            let known = (*one == Cell::Null).cmp(&(*other == Cell::Null));
            let order = compare(one, other);
            known.then(if descending { order.reverse() } else { order })
        });
        orders
            .into_iter()
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

/// Numbers by size, hexadecimal ones too, and before texts; these by their letters in any case.
fn compare(one: &Cell, other: &Cell) -> Ordering {
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        _ => {
            let (one, other) = (plain(one), plain(other));
            let any_case = one.to_lowercase().cmp(&other.to_lowercase());
            any_case.then_with(|| one.cmp(&other))
        }
    }
}

fn number(cell: &Cell) -> Option<i128> {
    match cell {
        Cell::Integer(number) => Some((*number).into()),
        Cell::TooLarge(number) => Some((*number).into()),
        Cell::Boolean(value) => Some((*value).into()),
        Cell::Text(text) => hexadecimal(text),
        Cell::Null | Cell::List(_) => None,
    }
}

fn hexadecimal(text: &str) -> Option<i128> {
    let digits = text.strip_prefix("0x")?;
    i128::from_str_radix(digits, 16).ok()
}

/// A cell as text, exactly.
fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Boolean(value) => value.to_string(),
        Cell::Integer(number) => number.to_string(),
        Cell::TooLarge(number) => number.to_string(),
        Cell::Text(text) | Cell::List(text) => text.clone(),
    }
}

/// `image~svc` and the like.
#[derive(Clone)]
struct Condition {
    column: String,
    operator: Operator,
    value: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Is,
    IsNot,
    Contains,
    ContainsNot,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl FromStr for Condition {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The longer ones first where one begins another.
        const OPERATORS: [(&str, Operator); 8] = [
            ("!=", Operator::IsNot),
            ("!~", Operator::ContainsNot),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("=", Operator::Is),
            ("~", Operator::Contains),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let place = text.find(['=', '!', '~', '<', '>']);
        let (column, rest) = place
            .map(|place| text.split_at(place))
            .ok_or("a condition is a column, one of = != ~ !~ < <= > >=, and a value")?;
        let found = OPERATORS
            .iter()
            .find_map(|(sign, operator)| Some((*operator, rest.strip_prefix(sign)?)));
        let (operator, value) = found.ok_or("after ! comes = or ~")?;
        Ok(Self {
            column: column.trim().to_owned(),
            operator,
            value: value.trim().to_owned(),
        })
    }
}

/// What a cell is compared with.
enum Wanted<'s> {
    Number(i128),
    Text(&'s str),
    /// A moment of which not all digits were given: the first and the last it can be, as cells have them.
    Moments(String, String),
}

/// The first moment of the year 0, and the last there can be.
const FIRST_MOMENT: &str = "0000-01-01T00:00:00.0000000Z";
const LAST_MOMENT: &str = "9999-12-31T23:59:59.9999999Z";

/// The first and the last moment that a date, or a date and a time to the minute, the second or a part of it, can be.
fn moments(value: &str) -> Option<(String, String)> {
    const DATE: usize = "0000-01-01".len();
    const MINUTE: usize = DATE + "T00:00".len();
    const SECOND: usize = MINUTE + ":00".len();
    let value = value.to_ascii_uppercase();
    let value = value.strip_suffix("UTC").unwrap_or(&value).trim_end();
    let value = value.strip_suffix('Z').unwrap_or(value);
    let value = match value.split_once(' ') {
        Some((date, time)) => format!("{date}T{}", time.trim_start()),
        None => value.to_owned(),
    };
    let is_shaped = value.len() < FIRST_MOMENT.len()
        && value
            .bytes()
            .zip(FIRST_MOMENT.bytes())
            .all(|(byte, model)| byte == model || byte.is_ascii_digit() && model.is_ascii_digit());
    let is_cut_well = matches!(value.len(), DATE | MINUTE | SECOND) || value.len() > SECOND + 1;
    if !is_shaped || !is_cut_well {
        return None;
    }
    let first = value.clone() + &FIRST_MOMENT[value.len()..];
    let number = |place: usize| first[place..place + 2].parse::<u32>().ok();
    let is_real = (1..=12).contains(&number(5)?)
        && (1..=31).contains(&number(8)?)
        && number(11)? < 24
        && number(14)? < 60
        && number(17)? < 60;
    is_real.then(|| (first, value.clone() + &LAST_MOMENT[value.len()..]))
}

impl Condition {
    /// The value, as that column has it.
    fn wanted(&self, column: &Column) -> Result<Wanted<'_>, Error> {
        let value = self.value.as_str();
        let as_text = value.is_empty()
            || matches!(self.operator, Operator::Contains | Operator::ContainsNot)
            || matches!(column.kind, Kind::Text | Kind::List);
        if as_text {
            return Ok(Wanted::Text(value));
        }
        let no_such = |needed| {
            Error::usage(format!(
                "\"{value}\" cannot be compared with {}: it needs {needed}",
                column.name
            ))
        };
        if column.kind == Kind::Time {
            return match moments(value) {
                Some((first, last)) => Ok(Wanted::Moments(first, last)),
                None => Err(no_such(
                    "a date, or a date and a time, such as 2026-01-02 03:04:05",
                )),
            };
        }
        let number = match column.kind {
            Kind::Boolean => match value.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Some(1),
                "false" | "no" | "0" => Some(0),
                _ => None,
            },
            Kind::Size => with_unit(
                value,
                &[
                    ("KiB", 1 << 10),
                    ("MiB", 1 << 20),
                    ("GiB", 1 << 30),
                    ("TiB", 1 << 40),
                    ("B", 1),
                ],
            ),
            Kind::Duration => with_unit(
                value,
                &[("µs", 10), ("us", 10), ("ms", 10_000), ("s", 10_000_000)],
            ),
            _ => hexadecimal(value).or_else(|| value.parse().ok()),
        };
        let needed = match column.kind {
            Kind::Boolean => "yes or no",
            Kind::Size => "a number of bytes, or one with KiB, MiB, GiB or TiB",
            Kind::Duration => "a number of 100 ns, or one with µs, ms or s",
            Kind::Hex => "a number, with 0x a hexadecimal one",
            _ => "a number",
        };
        number.map(Wanted::Number).ok_or_else(|| no_such(needed))
    }
}

/// A number, or a number with a fraction and one of the units.
fn with_unit(value: &str, units: &[(&str, i64)]) -> Option<i128> {
    if let Ok(number) = value.parse() {
        return Some(number);
    }
    units.iter().find_map(|(unit, factor)| {
        let end = value.len().checked_sub(unit.len())?;
        let (number, written) = (value.get(..end)?, value.get(end..)?);
        let number = number.trim().parse::<f64>().ok()? * *factor as f64;
        (written.eq_ignore_ascii_case(unit) && number.is_finite()).then_some(number as i128)
    })
}

impl Operator {
    fn holds(self, cell: &Cell, wanted: &Wanted<'_>) -> bool {
        let order = match (cell, wanted) {
            (Cell::Null, Wanted::Text("")) => Some(Ordering::Equal),
            // Nothing is neither greater nor less, and does not contain anything.
            (Cell::Null, _) => None,
            (_, Wanted::Number(wanted)) => number(cell).map(|number| number.cmp(wanted)),
            (_, Wanted::Moments(first, last)) => {
                let moment = plain(cell);
                Some(if *moment < **first {
                    Ordering::Less
                } else if *moment > **last {
                    Ordering::Greater
                } else {
                    Ordering::Equal
                })
            }
            (_, Wanted::Text(wanted)) => {
                let text = plain(cell).to_lowercase();
                Some(text.cmp(&wanted.to_lowercase()))
            }
        };
        let contains = |whole: bool| match (cell, wanted) {
            (Cell::Null, _) | (_, Wanted::Number(_) | Wanted::Moments(..)) => false,
            (Cell::List(list), Wanted::Text(wanted)) => {
                let wanted = wanted.to_lowercase();
                let elements = elements(list);
                elements.iter().any(|element| {
                    let element = element.to_lowercase();
                    if whole {
                        element == wanted
                    } else {
                        element.contains(&wanted)
                    }
                }) || (whole && wanted.is_empty() && elements.is_empty())
            }
            (_, Wanted::Text(wanted)) => {
                let (text, wanted) = (plain(cell).to_lowercase(), wanted.to_lowercase());
                if whole {
                    text == wanted
                } else {
                    text.contains(&wanted)
                }
            }
        };
        let is = || match cell {
            Cell::List(_) => contains(true),
            _ => order == Some(Ordering::Equal),
        };
        match self {
            Self::Is => is(),
            Self::IsNot => !is(),
            Self::Contains => contains(false),
            Self::ContainsNot => !contains(false),
            Self::Less => order.is_some_and(Ordering::is_lt),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Greater => order.is_some_and(Ordering::is_gt),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}

/// Prints rows: exact in JSON, as people read them in a table.
/// On a terminal too with all of the columns where they are `whole`.
fn print(
    json: bool,
    columns: &[&'static Column],
    whole: bool,
    rows: Vec<Vec<Cell>>,
) -> Result<(), Error> {
    if json {
        let objects: Vec<_> = rows.iter().map(|row| Object { columns, row }).collect();
        return output::json(&objects);
    }
    let heads: Vec<(&'static str, Align)> = columns
        .iter()
        .map(|column| (column.name, align(column.kind)))
        .collect();
    let mut table = output::Table::new(&heads);
    if whole {
        table = table.whole();
    }
    for row in &rows {
        table.row(
            row.iter()
                .zip(columns)
                .map(|(cell, column)| readable(cell, column.kind)),
        );
    }
    table.print()
}

const fn align(kind: Kind) -> Align {
    match kind {
        Kind::RowNumber | Kind::Integer | Kind::Size | Kind::Duration => Align::Right,
        Kind::Text | Kind::Boolean | Kind::Time | Kind::Hex | Kind::List => Align::Left,
    }
}

/// What is in a list, or the one value that stands for it.
fn elements(list: &str) -> Vec<String> {
    let elements = match serde_json::from_str(list) {
        Ok(Value::Array(elements)) => elements,
        Ok(Value::Null) | Err(_) => Vec::new(),
        Ok(one) => vec![one],
    };
    let text = |element| match element {
        Value::String(text) => text,
        other => other.to_string(),
    };
    elements.into_iter().map(text).collect()
}

/// A row as JSON has it.
struct Object<'r> {
    columns: &'r [&'static Column],
    row: &'r [Cell],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = self.columns.iter().map(|column| column.name);
        serializer.collect_map(names.zip(self.row.iter().map(exact)))
    }
}

/// A cell as JSON.
fn exact(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Boolean(value) => (*value).into(),
        Cell::Integer(number) => (*number).into(),
        Cell::TooLarge(number) => (*number).into(),
        Cell::Text(text) => text.as_str().into(),
        Cell::List(list) => serde_json::from_str(list).unwrap_or_default(),
    }
}

/// A cell as people read it.
fn readable(cell: &Cell, kind: Kind) -> String {
    match (cell, kind) {
        (Cell::Null, _) => NOTHING.to_owned(),
        (Cell::Boolean(value), _) => if *value { "yes" } else { "no" }.to_owned(),
        (Cell::Integer(number), Kind::Size) if *number >= 0 => shown::size(number.unsigned_abs()),
        (Cell::Integer(number), Kind::Duration) if *number >= 0 => {
            shown::duration(number.unsigned_abs())
        }
        (Cell::Text(text), Kind::Time) => match text.split_once('T') {
            Some((day, time)) => {
                let seconds = time.split('.').next().unwrap_or_default();
                format!("{day} {seconds} UTC")
            }
            None => text.clone(),
        },
        (Cell::List(list), _) => match elements(list).join(", ") {
            none if none.is_empty() => NOTHING.to_owned(),
            elements => elements,
        },
        _ => plain(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        column("pid", Kind::Integer),
        column("image", Kind::Text),
        column("commit", Kind::Size),
        column("time", Kind::Duration),
        column("handle", Kind::Hex),
        column("held", Kind::Boolean),
        column("names", Kind::List),
        column("begun", Kind::Time),
    ];

    const fn column(name: &'static str, kind: Kind) -> Column {
        Column {
            name,
            kind,
            meaning: "",
        }
    }

    #[derive(Serialize)]
    struct Record {
        pid: u64,
        image: Option<&'static str>,
        commit: u64,
        time: u64,
        handle: &'static str,
        held: bool,
        names: &'static [&'static str],
        begun: &'static str,
    }

    fn records() -> Vec<Record> {
        vec![
            Record {
                pid: 10,
                image: Some("Smss.exe"),
                commit: 9 << 20,
                time: 15_000_000,
                handle: "0x10",
                held: true,
                names: &["READ", "WRITE"],
                begun: "2026-11-21T17:49:28.5000000Z",
            },
            Record {
                pid: 9,
                image: None,
                commit: 1 << 20,
                time: 5,
                handle: "0x9",
                held: false,
                names: &[],
                begun: "2026-11-21T20:00:00.0000000Z",
            },
            Record {
                pid: 8,
                image: Some("csrss.exe"),
                commit: 8 << 20,
                time: 10_000,
                handle: "0xfffff80000000000",
                held: true,
                names: &["READ_CONTROL"],
                begun: "2026-11-22T00:00:00.0000000Z",
            },
        ]
    }

    fn selection(sort: &[&str], filter: &[&str]) -> Selection {
        Selection {
            columns: Vec::new(),
            sort: sort.iter().map(|text| (*text).to_owned()).collect(),
            filter: filter
                .iter()
                .map(|text| text.parse().expect("a condition"))
                .collect(),
        }
    }

    fn pids(sort: &[&str], filter: &[&str]) -> Vec<u64> {
        let mut records = records();
        let columns: Vec<_> = COLUMNS.iter().collect();
        selection(sort, filter)
            .apply_to(&columns, &mut records)
            .unwrap();
        records.iter().map(|record| record.pid).collect()
    }

    #[test]
    fn conditions_compare_as_the_column_is() {
        for (condition, expected) in [
            ("image=SMSS.EXE", &[10][..]),
            ("image!=smss.exe", &[9, 8]),
            ("image~RSS", &[8]),
            ("image!~rss", &[10, 9]),
            ("image=", &[9]),
            ("image!=", &[10, 8]),
            ("pid>=9", &[10, 9]),
            ("pid<10", &[9, 8]),
            ("commit>8 MiB", &[10]),
            ("commit<=8mib", &[9, 8]),
            ("time>=1ms", &[10, 8]),
            ("time<0.001s", &[9]),
            ("handle=9", &[9]),
            ("handle>0xf", &[10, 8]),
            ("held=yes", &[10, 8]),
            ("held=false", &[9]),
            ("names=read", &[10]),
            ("names~read", &[10, 8]),
            ("names!=READ", &[9, 8]),
            ("names=", &[9]),
            ("begun=2026-11-21", &[10, 9]),
            ("begun>2026-11-21", &[8]),
            ("begun>=2026-11-21 20:00", &[9, 8]),
            ("begun>2026-11-21T20:00", &[8]),
            ("begun=2026-11-21 17:49:28 UTC", &[10]),
            ("begun<=2026-11-21T17:49:28Z", &[10]),
            ("begun<2026-11-21t17:49:28.6", &[10]),
            ("begun~17:49", &[10]),
        ] {
            assert_eq!(pids(&[], &[condition]), expected, "{condition}");
        }
        assert_eq!(pids(&[], &["held=yes", "pid<9"]), [8]);
    }

    #[test]
    fn rows_are_ordered_by_size_and_what_is_not_known_comes_last() {
        assert_eq!(pids(&["pid"], &[]), [8, 9, 10]);
        assert_eq!(pids(&["-handle"], &[]), [8, 10, 9]);
        assert_eq!(pids(&["image"], &[]), [8, 10, 9]);
        assert_eq!(pids(&["-image"], &[]), [10, 8, 9]);
        assert_eq!(pids(&["-held", "pid"], &[]), [8, 10, 9]);
    }

    #[test]
    fn names_that_look_like_numbers_and_names_that_do_not_have_one_order() {
        let cells = ["0x9", "0x10", "0x1z", "0x1Z", "smss.exe", "0x", "0x-1"]
            .map(|text| Cell::Text(text.to_owned()));
        for one in &cells {
            for other in &cells {
                assert_eq!(compare(one, other), compare(other, one).reverse());
                for third in &cells {
                    let first_two = compare(one, other);
                    if first_two.is_le() && compare(other, third).is_le() {
                        assert!(compare(one, third).is_le(), "{one:?} {other:?} {third:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (sort, filter, said) in [
            (&["nope"][..], &[][..], "no column \"nope\""),
            (&[], &["pid=x"], "\"x\" cannot be compared with pid"),
            (&[], &["commit>8 parsecs"], "a number of bytes"),
            (&[], &["commit>nan MiB"], "a number of bytes"),
            (&[], &["commit<1e400MiB"], "a number of bytes"),
            (&[], &["time<-infs"], "a number of 100 ns"),
            (&[], &["held=perhaps"], "yes or no"),
            (&[], &["begun>yesterday"], "a date and a time"),
            (&[], &["begun>2026-13-45"], "a date and a time"),
            (&[], &["begun>2026-11-21 2"], "a date and a time"),
        ] {
            let columns: Vec<_> = COLUMNS.iter().collect();
            let error = selection(sort, filter)
                .apply_to(&columns, &mut records())
                .unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
        assert!("image".parse::<Condition>().is_err());
        assert!("image!smss".parse::<Condition>().is_err());
    }

    #[test]
    fn a_column_is_shown_once() {
        let columns: Vec<_> = COLUMNS.iter().collect();
        let mut selection = selection(&[], &[]);
        selection.columns = ["pid", "image", "PID"].map(str::to_owned).to_vec();
        let chosen = selection.chosen(&columns).unwrap();
        let names: Vec<_> = chosen.iter().map(|column| column.name).collect();
        assert_eq!(names, ["pid", "image"]);
    }

    #[test]
    fn cells_are_readable_in_tables_and_exact_in_json() {
        let cells = tables::cells(&COLUMNS.iter().collect::<Vec<_>>(), &records()[0]);
        let shown: Vec<_> = cells
            .iter()
            .zip(COLUMNS)
            .map(|(cell, column)| readable(cell, column.kind))
            .collect();
        assert_eq!(
            shown,
            [
                "10",
                "Smss.exe",
                "9.0 MiB",
                "1.5 s",
                "0x10",
                "yes",
                "READ, WRITE",
                "2026-11-21 17:49:28 UTC"
            ]
        );
        let columns: Vec<_> = COLUMNS.iter().skip(2).step_by(4).collect();
        let row = [cells[2].clone(), cells[6].clone()];
        let object = Object {
            columns: &columns,
            row: &row,
        };
        assert_eq!(
            serde_json::to_string(&object).unwrap(),
            r#"{"commit":9437184,"names":["READ","WRITE"]}"#
        );
    }
}
