//! The rows of one view: in which order, which of them, and where one is. Everything here is independent of a terminal.

use std::mem;

use crate::explore::matching::Needle;
use crate::explore::table::Table;
use crate::explore::value::{Key, Value};

/// By which column rows are sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sort {
    pub column: usize,
    pub descending: bool,
}

/// Rows that are still to be looked at for the filter.
#[derive(Default)]
struct Pending {
    rows: Vec<u32>,
    next: usize,
    /// The row to stand on, if it comes.
    wanted: Option<u32>,
}

/// A search on its way.
struct Search {
    needle: Needle,
    /// The next place to look at.
    at: usize,
    /// Places that are left.
    left: usize,
    backwards: bool,
}

/// What came of working on a search.
#[derive(PartialEq, Eq, Debug)]
pub enum Found {
    /// Nothing yet, or nothing is looked for.
    NotYet,
    Yes,
    No,
}

/// The rows of a view.
pub struct List {
    is_tree: bool,
    /// The rows that there are to see, in the order of the snapshot.
    all: Vec<u32>,
    /// The same as they are sorted, those of a tree with each row's descendants behind it.
    order: Vec<u32>,
    /// Of these, those that are shown: not below a closed branch, or as the filter wants them.
    shown: Vec<u32>,
    /// By row: how many rows it stands below in the tree.
    depths: Vec<u16>,
    /// By row: whether others stand below it, and whether they are shown.
    branches: Vec<bool>,
    closed: Vec<bool>,
    /// By column: whether any row has something in it.
    used: Vec<bool>,
    pub sort: Option<Sort>,
    filter: String,
    needle: Needle,
    pending: Pending,
    search: Option<Search>,
    cursor: usize,
    top: usize,
}

impl List {
    /// Every row of a table.
    pub fn new(table: &dyn Table, is_tree: bool) -> Self {
        let count = table.row_count();
        let mut list = Self {
            is_tree,
            all: (0..count as u32).collect(),
            order: Vec::new(),
            shown: Vec::new(),
            depths: vec![0; if is_tree { count } else { 0 }],
            branches: vec![false; if is_tree { count } else { 0 }],
            closed: vec![false; if is_tree { count } else { 0 }],
            used: (0..table.column_count())
                .map(|column| {
                    (0..count as u32).any(|row| table.value(row, column) != Value::Nothing)
                })
                .collect(),
            sort: None,
            filter: String::new(),
            needle: Needle::default(),
            pending: Pending::default(),
            search: None,
            cursor: 0,
            top: 0,
        };
        list.arrange(table);
        list
    }

    /// Shows only these rows from now on, without a filter.
    pub fn restrict(&mut self, table: &dyn Table, rows: Vec<u32>) {
        self.all = rows;
        self.set_filter_text(String::new());
        self.pending = Pending::default();
        self.shown.clear();
        self.cursor = 0;
        self.arrange(table);
    }

    /// How many rows are shown.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// How many there are with those that are not shown.
    pub fn row_count(&self) -> usize {
        self.all.len()
    }

    /// The columns in which any row has something; all of them where there are no rows.
    pub fn used_columns(&self) -> Vec<usize> {
        let all = 0..self.used.len();
        match self.used.contains(&true) {
            true => all.filter(|column| self.used[*column]).collect(),
            false => all.collect(),
        }
    }

    /// Place of the row that one is on.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The row that one is on.
    pub fn selected(&self) -> Option<u32> {
        self.shown.get(self.cursor).copied()
    }

    /// The rows that are shown.
    pub fn rows(&self) -> &[u32] {
        &self.shown
    }

    pub fn filter(&self) -> &str {
        &self.filter
    }

    pub fn filter_needle(&self) -> &Needle {
        &self.needle
    }

    /// Whether rows are shown as branches of a tree; with a filter they stand for themselves.
    pub fn shows_tree(&self) -> bool {
        self.is_tree && self.filter.is_empty()
    }

    /// How deep a row stands in the tree, and of one with others below it, whether they are shown.
    pub fn branch(&self, row: u32) -> (u16, Option<bool>) {
        let row = row as usize;
        let open = self.branches[row].then_some(!self.closed[row]);
        (self.depths[row], open)
    }

    /// The rows on a screen with room for `height`, the selected one among them, and the place of the first.
    pub fn on_screen(&mut self, height: usize) -> (usize, &[u32]) {
        let last = (self.top + height).min(self.shown.len());
        if self.cursor < self.top {
            self.top = self.cursor;
        } else if self.cursor >= last {
            self.top = (self.cursor + 1).saturating_sub(height);
        }
        // What has become free below is used.
        self.top = self.top.min(self.shown.len().saturating_sub(height));
        let end = (self.top + height).min(self.shown.len());
        (self.top, &self.shown[self.top..end])
    }

    /// Goes to a place, or as far as there are rows.
    pub fn go_to(&mut self, place: usize) {
        self.cursor = place.min(self.shown.len().saturating_sub(1));
    }

    /// Goes `rows` down, or up when it is negative.
    pub fn move_by(&mut self, rows: isize) {
        self.go_to(self.cursor.saturating_add_signed(rows));
    }

    /// Goes to a row, opening the branches that it is below; no when it is not among those to see.
    pub fn select(&mut self, table: &dyn Table, row: u32) -> bool {
        if self.shows_tree() {
            self.reveal(table, row);
        }
        let place = self.shown.iter().position(|shown| *shown == row);
        if let Some(place) = place {
            self.cursor = place;
        }
        place.is_some()
    }

    /// Goes to a row, at once or when the filter has come to it.
    pub fn stand_on(&mut self, table: &dyn Table, row: u32) {
        if !self.select(table, row) {
            self.pending.wanted = Some(row);
        }
    }

    fn reveal(&mut self, table: &dyn Table, row: u32) {
        let mut changed = false;
        let mut at = row as usize;
        // A circle of parents comes to its end after as many steps as there are rows.
        for _ in 0..table.parents().len() {
            match table.parents().get(at) {
                Some(Some(parent)) => at = *parent as usize,
                _ => break,
            }
            changed |= mem::take(&mut self.closed[at]);
        }
        if changed {
            self.show();
        }
    }

    /// Opens or closes the selected row's branch; no when there is none.
    pub fn set_open(&mut self, open: bool) -> bool {
        let Some(row) = self.selected().filter(|_| self.shows_tree()) else {
            return false;
        };
        if self.branch(row).1 != Some(!open) {
            return false;
        }
        self.closed[row as usize] = !open;
        self.show();
        true
    }

    /// Opens or closes every branch.
    pub fn set_all_open(&mut self, table: &dyn Table, open: bool) {
        if !self.shows_tree() {
            return;
        }
        let selected = self.selected();
        self.closed.fill(!open);
        self.show();
        // What is below a closed branch now: its outermost one.
        let mut at = selected;
        for _ in 0..=table.parents().len() {
            let Some(row) = at else { break };
            if let Some(place) = self.shown.iter().position(|shown| *shown == row) {
                self.cursor = place;
                break;
            }
            at = table.parents()[row as usize];
        }
    }

    /// Goes to the row that the selected one stands below; no when there is none.
    pub fn go_to_parent(&mut self, table: &dyn Table) -> bool {
        let selected = self.selected().filter(|_| self.shows_tree());
        let parent = selected.and_then(|row| *table.parents().get(row as usize)?);
        parent.is_some_and(|parent| self.select(table, parent))
    }

    /// Sorts by a column, or as the snapshot has it, and stays on the selected row.
    pub fn set_sort(&mut self, table: &dyn Table, sort: Option<Sort>) {
        self.sort = sort;
        self.arrange(table);
    }

    fn arrange(&mut self, table: &dyn Table) {
        let selected = self.selected().or(self.pending.wanted);
        self.order = match self.sort {
            None => self.all.clone(),
            Some(sort) => sorted(table, &self.all, sort),
        };
        if self.is_tree {
            self.grow(table.parents());
        }
        self.search = None;
        if self.filter.is_empty() {
            self.show();
            if let Some(row) = selected {
                self.select(table, row);
            }
        } else {
            self.pending = Pending {
                rows: self.order.clone(),
                next: 0,
                wanted: selected,
            };
            self.shown.clear();
            self.cursor = 0;
        }
    }

    /// Puts each row's descendants behind it. Rows that stand below each other in a circle have no root: they follow
    /// after those that have one.
    fn grow(&mut self, parents: &[Option<u32>]) {
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); parents.len()];
        for row in &self.order {
            if let Some(parent) = parents[*row as usize] {
                children[parent as usize].push(*row);
            }
        }
        let mut placed = vec![false; parents.len()];
        let mut order = Vec::with_capacity(self.order.len());
        let is_root = |row: &&u32| parents[**row as usize].is_none();
        let roots = self.order.iter().filter(is_root).chain(&self.order);
        for root in roots {
            let mut open = vec![(0, *root)];
            while let Some((depth, row)) = open.pop() {
                if mem::replace(&mut placed[row as usize], true) {
                    continue;
                }
                self.depths[row as usize] = depth;
                order.push(row);
                let below = children[row as usize].iter().rev();
                open.extend(below.map(|child| (depth.saturating_add(1), *child)));
            }
        }
        for (row, below) in children.iter().enumerate() {
            self.branches[row] = !below.is_empty();
        }
        self.order = order;
    }

    /// Works out what is shown without a filter.
    fn show(&mut self) {
        self.pending = Pending::default();
        if !self.is_tree {
            self.shown.clone_from(&self.order);
        } else {
            self.shown.clear();
            let mut below: Option<u16> = None;
            for row in &self.order {
                let depth = self.depths[*row as usize];
                if below.is_some_and(|closed| depth > closed) {
                    continue;
                }
                below = self.closed[*row as usize].then_some(depth);
                self.shown.push(*row);
            }
        }
        self.go_to(self.cursor);
    }

    /// Shows only the rows that hold this text. A text that goes on where the last one ended needs the rows that are left
    /// only. [`Self::work`] does it, bit by bit.
    pub fn set_filter(&mut self, table: &dyn Table, text: &str) {
        if text == self.filter {
            return;
        }
        let selected = self.selected().or(self.pending.wanted);
        self.search = None;
        let goes_on = !self.filter.is_empty() && text.starts_with(&self.filter);
        self.set_filter_text(text.to_owned());
        if text.is_empty() {
            self.show();
            if let Some(row) = selected {
                self.select(table, row);
            }
            return;
        }
        let mut rows = if goes_on {
            mem::take(&mut self.shown)
        } else {
            self.order.clone()
        };
        if goes_on {
            rows.extend(&self.pending.rows[self.pending.next..]);
        }
        self.pending = Pending {
            rows,
            next: 0,
            wanted: selected,
        };
        self.shown.clear();
        self.cursor = 0;
    }

    fn set_filter_text(&mut self, text: String) {
        self.needle = Needle::new(&text);
        self.filter = text;
    }

    /// Looks for a text from the selected row on: on it as well, or only behind it or before it.
    pub fn search(&mut self, text: &str, direction: Direction) {
        let places = self.searched().len();
        let selected = self.selected();
        let here = if self.shows_tree() {
            let place = self.order.iter().position(|row| Some(*row) == selected);
            place.unwrap_or_default()
        } else {
            self.cursor
        };
        let at = match direction {
            Direction::Here => here,
            Direction::Forwards => here + 1,
            Direction::Backwards => here + places.saturating_sub(1),
        };
        self.search = (places != 0 && !text.is_empty()).then(|| Search {
            needle: Needle::new(text),
            at: at % places,
            left: places,
            backwards: direction == Direction::Backwards,
        });
    }

    pub fn stop_search(&mut self) {
        self.search = None;
    }

    /// The rows a search looks at: those below closed branches as well.
    fn searched(&self) -> &[u32] {
        if self.shows_tree() {
            &self.order
        } else {
            &self.shown
        }
    }

    /// Whether there is work to do.
    pub fn is_busy(&self) -> bool {
        self.search.is_some() || self.pending.next < self.pending.rows.len()
    }

    /// How far the filter is, in percent, while it is not done.
    pub fn filtered(&self) -> Option<usize> {
        let rows = self.pending.rows.len();
        (self.pending.next < rows).then(|| self.pending.next * 100 / rows)
    }

    /// Looks at some more rows, first for the filter, then for the search.
    pub fn work(&mut self, table: &dyn Table, rows: usize) -> Found {
        let mut left = rows;
        while left != 0 && self.pending.next < self.pending.rows.len() {
            let row = self.pending.rows[self.pending.next];
            self.pending.next += 1;
            left -= 1;
            if matches(table, row, &self.needle) {
                if self.pending.wanted == Some(row) {
                    self.cursor = self.shown.len();
                    self.pending.wanted = None;
                }
                self.shown.push(row);
            }
        }
        let Some(mut search) = self.search.take() else {
            return Found::NotYet;
        };
        let places = self.searched().len();
        while left != 0 {
            left -= 1;
            if search.left == 0 {
                return Found::No;
            }
            let row = self.searched()[search.at];
            if matches(table, row, &search.needle) {
                self.select(table, row);
                return Found::Yes;
            }
            search.left -= 1;
            search.at = match search.backwards {
                false if search.at + 1 == places => 0,
                false => search.at + 1,
                true if search.at == 0 => places - 1,
                true => search.at - 1,
            };
        }
        self.search = Some(search);
        Found::NotYet
    }
}

/// Where a search begins, and where it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    Here,
    Forwards,
    Backwards,
}

/// Whether a row has the text in any of its columns.
fn matches(table: &dyn Table, row: u32, needle: &Needle) -> bool {
    (0..table.column_count()).any(|column| {
        let shown = table.value(row, column).shown();
        needle.find(&shown).is_some()
    })
}

fn sorted(table: &dyn Table, rows: &[u32], sort: Sort) -> Vec<u32> {
    let mut keyed: Vec<(Key, u32)> = rows
        .iter()
        .map(|row| (table.value(*row, sort.column).key(), *row))
        .collect();
    keyed.sort_by(|(one, _), (other, _)| one.compare(other, sort.descending));
    keyed.into_iter().map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::table::{Column, Records};

    struct Fruit {
        name: &'static str,
        weight: u64,
    }

    static COLUMNS: [Column<Fruit>; 2] = [
        Column::right("WEIGHT", 6, |fruit| match fruit.weight {
            0 => Value::Nothing,
            weight => Value::Number(weight),
        }),
        Column::left("NAME", 10, |fruit| Value::text(fruit.name)),
    ];

    fn fruits() -> Records<Fruit> {
        let all = [
            ("plum", 30),
            ("Apple", 100),
            ("grape", 0),
            ("apricot", 9),
            ("melon", 2000),
        ];
        let rows = all.map(|(name, weight)| Fruit { name, weight });
        Records::flat(rows.into(), &COLUMNS)
    }

    /// Apple and melon stand below plum, apricot below Apple, grape below itself.
    fn tree() -> Records<Fruit> {
        Records {
            parents: vec![None, Some(0), Some(2), Some(1), Some(0)],
            ..fruits()
        }
    }

    fn names(records: &Records<Fruit>, list: &List) -> Vec<&'static str> {
        let name = |row: &u32| records.rows[*row as usize].name;
        list.rows().iter().map(name).collect()
    }

    fn finish(records: &Records<Fruit>, list: &mut List) -> Found {
        loop {
            let found = list.work(records, 1);
            if found != Found::NotYet || !list.is_busy() {
                return found;
            }
        }
    }

    fn sort(column: usize, descending: bool) -> Option<Sort> {
        Some(Sort { column, descending })
    }

    #[test]
    fn rows_are_sorted_by_any_column_both_ways_and_one_stays_on_ones_row() {
        let fruits = fruits();
        let mut list = List::new(&fruits, false);
        list.go_to(3);
        list.set_sort(&fruits, sort(0, false));
        let expected = ["apricot", "plum", "Apple", "melon", "grape"];
        assert_eq!(names(&fruits, &list), expected);
        assert_eq!(list.selected(), Some(3));
        list.set_sort(&fruits, sort(0, true));
        let expected = ["melon", "Apple", "plum", "apricot", "grape"];
        assert_eq!(names(&fruits, &list), expected);
        list.set_sort(&fruits, sort(1, false));
        let expected = ["Apple", "apricot", "grape", "melon", "plum"];
        assert_eq!(names(&fruits, &list), expected);
        list.set_sort(&fruits, None);
        assert_eq!(names(&fruits, &list)[0], "plum");
        assert_eq!(list.selected(), Some(3));
    }

    #[test]
    fn a_filter_that_goes_on_looks_only_at_what_is_left() {
        let fruits = fruits();
        let mut list = List::new(&fruits, false);
        list.set_filter(&fruits, "ap");
        assert_eq!(list.filtered(), Some(0));
        finish(&fruits, &mut list);
        assert_eq!(names(&fruits, &list), ["Apple", "grape", "apricot"]);
        list.set_filter(&fruits, "apr");
        assert_eq!(list.pending.rows.len(), 3, "the others cannot have it");
        finish(&fruits, &mut list);
        assert_eq!(names(&fruits, &list), ["apricot"]);
        list.set_filter(&fruits, "ap");
        finish(&fruits, &mut list);
        assert_eq!(list.len(), 3, "taking a letter back brings rows back");
    }

    #[test]
    fn a_filter_that_goes_on_before_it_is_done_forgets_no_row() {
        let fruits = fruits();
        let mut list = List::new(&fruits, false);
        list.set_filter(&fruits, "a");
        list.work(&fruits, 2);
        list.set_filter(&fruits, "ap");
        finish(&fruits, &mut list);
        assert_eq!(names(&fruits, &list), ["Apple", "grape", "apricot"]);
    }

    #[test]
    fn with_and_without_a_filter_one_stays_on_ones_row() {
        let fruits = fruits();
        let mut list = List::new(&fruits, false);
        list.go_to(3);
        list.set_filter(&fruits, "ap");
        finish(&fruits, &mut list);
        assert_eq!((list.cursor(), list.selected()), (2, Some(3)));
        list.set_filter(&fruits, "");
        assert_eq!((list.cursor(), list.selected()), (3, Some(3)));
    }

    #[test]
    fn a_search_goes_on_around_the_end_in_both_directions() {
        let fruits = fruits();
        let mut list = List::new(&fruits, false);
        let mut found = |direction| {
            list.search("AP", direction);
            assert_eq!(finish(&fruits, &mut list), Found::Yes);
            list.cursor()
        };
        assert_eq!(found(Direction::Here), 1);
        assert_eq!(found(Direction::Here), 1, "the row one is on counts");
        assert_eq!(found(Direction::Forwards), 2);
        assert_eq!(found(Direction::Forwards), 3);
        assert_eq!(found(Direction::Forwards), 1, "around the end");
        assert_eq!(found(Direction::Backwards), 3, "around the beginning");
        list.search("pear", Direction::Forwards);
        assert_eq!(finish(&fruits, &mut list), Found::No);
        assert_eq!(list.cursor(), 3, "one stays where one was");
    }

    #[test]
    fn a_tree_shows_each_row_below_its_parent_and_sorts_among_siblings() {
        let tree = tree();
        let mut list = List::new(&tree, true);
        let expected = ["plum", "Apple", "apricot", "melon", "grape"];
        assert_eq!(names(&tree, &list), expected);
        let depths: Vec<u16> = list.rows().iter().map(|row| list.branch(*row).0).collect();
        assert_eq!(depths, [0, 1, 2, 1, 0]);
        list.set_sort(&tree, sort(0, true));
        let expected = ["plum", "melon", "Apple", "apricot", "grape"];
        assert_eq!(names(&tree, &list), expected);
    }

    #[test]
    fn branches_close_and_open_and_a_search_looks_into_closed_ones() {
        let tree = tree();
        let mut list = List::new(&tree, true);
        assert!(list.set_open(false));
        assert_eq!(names(&tree, &list), ["plum", "grape"]);
        assert!(!list.set_open(false), "it is closed");
        list.search("apricot", Direction::Here);
        assert_eq!(finish(&tree, &mut list), Found::Yes);
        assert_eq!(list.selected(), Some(3));
        assert!(list.go_to_parent(&tree));
        assert_eq!(list.selected(), Some(1));
        list.set_all_open(&tree, false);
        assert_eq!(list.selected(), Some(0), "what it is below");
        list.set_filter(&tree, "ap");
        finish(&tree, &mut list);
        let expected = ["Apple", "apricot", "grape"];
        assert_eq!(names(&tree, &list), expected, "closed branches as well");
    }

    #[test]
    fn the_screen_moves_no_more_than_it_has_to() {
        let fruits = fruits();
        let mut list = List::new(&fruits, false);
        assert_eq!(list.on_screen(2), (0, &[0, 1][..]));
        list.move_by(2);
        assert_eq!(list.on_screen(2), (1, &[1, 2][..]));
        list.move_by(-1);
        assert_eq!(list.on_screen(2), (1, &[1, 2][..]));
        list.go_to(usize::MAX);
        assert_eq!(list.on_screen(2), (3, &[3, 4][..]));
        assert_eq!(list.on_screen(4), (1, &[1, 2, 3, 4][..]), "it has grown");
        assert_eq!(list.on_screen(0).1.len(), 0);
    }

    #[test]
    fn nothing_to_show_is_no_trouble() {
        let none = Records::flat(Vec::new(), &COLUMNS);
        let mut list = List::new(&none, true);
        list.move_by(1);
        list.search("x", Direction::Backwards);
        list.set_sort(&none, sort(0, true));
        list.set_filter(&none, "x");
        assert!(!list.set_open(true) && !list.go_to_parent(&none));
        assert_eq!(list.on_screen(5), (0, &[][..]));
        assert_eq!(list.selected(), None);
        assert!(!list.is_busy());
    }
}
