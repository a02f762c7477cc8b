//! What is on the screen, and what a key makes of it. Nothing here knows a terminal: keys come in, and what is to be done
//! outside goes out as an [`Effect`].

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::explore::book::Book;
use crate::explore::keys::{self, Command};
use crate::explore::list::{Direction, Found, List, Sort};
use crate::explore::matching::Needle;
use crate::explore::table::Table;
use crate::explore::view::{Pane, View};
use crate::shown;

/// The most that is copied at a time, in bytes: with more, terminals take nothing (xterm's limit is 100,000 characters of
/// base64).
pub const LARGEST_COPY: usize = 74_994;

/// Characters of a copied text that the message shows.
const SHOWN_COPY: usize = 60;

/// Places that can be gone back to.
const MOST_PLACES: usize = 1000;

/// What is to be done outside.
#[derive(PartialEq, Eq, Debug)]
pub enum Effect {
    Nothing,
    /// Put this on the clipboard.
    Copy(String),
    /// Draw everything anew.
    Redraw,
    Quit,
}

/// Whose handles are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    All,
    /// Those of the process with this id.
    OfProcess(u64),
    /// Those to the object in this row.
    ToObject(u32),
}

/// What the keyboard is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Looking at rows.
    Browse,
    /// Typing what to search; Escape goes back to this row.
    Search { text: String, from: Option<u32> },
    /// Typing what to filter by; Escape goes back to this filter.
    Filter { text: String, before: String },
    /// Reading a page in front of the rows.
    Page(Page),
}

/// A text in front of the rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    pub title: String,
    /// A name, and what is to be said about it. Without a name it is a heading.
    pub lines: Vec<(String, String)>,
    /// Lines that are above the screen.
    pub scroll: usize,
}

/// Where one is, to come back to.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Place {
    view: View,
    scope: Scope,
    filter: String,
    row: Option<u32>,
}

/// Everything the screen shows.
pub struct Explorer {
    pub book: Book,
    /// By view.
    lists: Vec<List>,
    pane: Pane,
    /// By pane.
    views: [View; Pane::ALL.len()],
    scope: Scope,
    pub mode: Mode,
    /// What was searched last.
    searched: String,
    /// What there is to say about the last key.
    pub message: Option<String>,
    back: Vec<Place>,
    forward: Vec<Place>,
    /// Rows that the screen has room for.
    height: usize,
}

impl Explorer {
    pub fn new(book: Book) -> Self {
        let mut lists: Vec<List> = Vec::with_capacity(View::COUNT);
        let mut views: Vec<View> = View::all().collect();
        views.sort_by_key(|view| *view as usize);
        for view in views {
            lists.push(List::new(book.table(view), view.is_tree()));
        }
        // A process tree is a screen or two; the namespace has thousands of entries.
        lists[View::Namespace as usize].set_all_open(book.table(View::Namespace), false);
        Self {
            lists,
            pane: Pane::Processes,
            views: Pane::ALL.map(|pane| pane.views()[0]),
            scope: Scope::All,
            mode: Mode::Browse,
            searched: String::new(),
            message: None,
            back: Vec::new(),
            forward: Vec::new(),
            height: 1,
            book,
        }
    }

    pub fn pane(&self) -> Pane {
        self.pane
    }

    pub fn view(&self) -> View {
        self.views[self.pane as usize]
    }

    pub fn list(&self) -> &List {
        &self.lists[self.view() as usize]
    }

    /// How many rows the first view of a pane has.
    pub fn row_count(&self, pane: Pane) -> usize {
        self.book.table(pane.views()[0]).row_count()
    }

    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// What is to be marked in the rows: what is searched, else what they are filtered by.
    pub fn needle(&self) -> Needle {
        match &self.mode {
            Mode::Search { text, .. } => Needle::new(text),
            _ if !self.searched.is_empty() => Needle::new(&self.searched),
            _ => self.list().filter_needle().clone(),
        }
    }

    /// The rows for a screen with room for `height`, and the place of the first.
    pub fn on_screen(&mut self, height: usize) -> (usize, Vec<u32>) {
        self.height = height;
        let view = self.view();
        let (top, rows) = self.lists[view as usize].on_screen(height);
        (top, rows.to_vec())
    }

    /// Whether there is work to do while no key comes.
    pub fn is_busy(&self) -> bool {
        self.list().is_busy()
    }

    /// Filters or searches some more rows.
    pub fn work(&mut self, rows: usize) {
        let view = self.view();
        let table = self.book.table(view);
        if self.lists[view as usize].work(table, rows) == Found::No {
            let text = match &self.mode {
                Mode::Search { text, .. } => text,
                _ => &self.searched,
            };
            self.message = Some(format!("not found: {}", shown::visible(text)));
        }
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent) -> Effect {
        let message = self.message.take();
        match std::mem::replace(&mut self.mode, Mode::Browse) {
            Mode::Browse => match keys::command(key) {
                Some(command) => return self.command(command),
                None => self.say("no such key; ? lists them"),
            },
            Mode::Page(page) => return self.page_key(page, key),
            Mode::Search { text, from } => {
                // That nothing was found is still to be read.
                self.message = message.filter(|_| key.code == KeyCode::Enter);
                return self.search_key(text, from, key);
            }
            Mode::Filter { text, before } => return self.filter_key(text, before, key),
        }
        Effect::Nothing
    }

    /// Has a sentence in the line at the bottom, until the next key.
    pub fn say(&mut self, text: impl Into<String>) {
        self.message = Some(text.into());
    }

    fn command(&mut self, command: Command) -> Effect {
        match command {
            Command::Up => self.with_list(|list| list.move_by(-1)),
            Command::Down => self.with_list(|list| list.move_by(1)),
            Command::PageUp => self.move_pages(-1),
            Command::PageDown => self.move_pages(1),
            Command::First => self.with_list(|list| list.go_to(0)),
            Command::Last => self.with_list(|list| list.go_to(usize::MAX)),
            Command::NextPane => self.turn_pane(1),
            Command::PreviousPane => self.turn_pane(Pane::ALL.len() - 1),
            Command::Pane(number) => self.pane = Pane::ALL[number],
            Command::NextView => self.turn_view(1),
            Command::PreviousView => self.turn_view(self.pane.views().len() - 1),
            Command::Open => self.open(),
            Command::Close => self.close(),
            Command::OpenAll => self.set_all_open(true),
            Command::CloseAll => self.set_all_open(false),
            Command::Search => {
                let from = self.list().selected();
                let text = String::new();
                self.mode = Mode::Search { text, from };
            }
            Command::SearchOn => self.search_on(Direction::Forwards),
            Command::SearchBack => self.search_on(Direction::Backwards),
            Command::Filter => {
                let text = self.list().filter().to_owned();
                let before = text.clone();
                self.mode = Mode::Filter { text, before };
            }
            Command::SortRight => self.turn_sort(true),
            Command::SortLeft => self.turn_sort(false),
            Command::Reverse => self.reverse_sort(),
            Command::Follow => self.follow(),
            Command::ToObject => self.follow_object(),
            Command::ToHandles => self.follow_handles(),
            Command::ToProcess => self.follow_process(),
            Command::Back => self.go_back(),
            Command::Forward => self.go_forward(),
            Command::Widen => self.widen(),
            Command::Details => self.details(),
            Command::CopyRow => return self.copy_row(),
            Command::CopyName => return self.copy_name(),
            Command::CopyList => return self.copy_list(),
            Command::Problems => self.problems(),
            Command::Help => self.help(),
            Command::Redraw => return Effect::Redraw,
            Command::Quit => return Effect::Quit,
        }
        Effect::Nothing
    }

    fn with_list<T>(&mut self, change: impl FnOnce(&mut List) -> T) -> T {
        let view = self.view();
        change(&mut self.lists[view as usize])
    }

    /// The same with the view's table.
    fn with_table<T>(&mut self, change: impl FnOnce(&mut List, &dyn Table) -> T) -> T {
        let view = self.view();
        change(&mut self.lists[view as usize], self.book.table(view))
    }

    fn move_pages(&mut self, pages: isize) {
        // One row of the last screen stays, to see where one is.
        let rows = isize::try_from(self.height.saturating_sub(1).max(1)).unwrap_or(isize::MAX);
        self.with_list(|list| list.move_by(pages.saturating_mul(rows)));
    }

    fn turn_pane(&mut self, by: usize) {
        self.pane = Pane::ALL[(self.pane as usize + by) % Pane::ALL.len()];
    }

    /// Goes to another view of the pane, to what the selected row is there.
    fn turn_view(&mut self, by: usize) {
        let views = self.pane.views();
        let old = self.view();
        let place = views.iter().position(|view| *view == old);
        let new = views[(place.unwrap_or_default() + by) % views.len()];
        if new == old {
            return self.say("this pane has one view only");
        }
        let row = self.list().selected().and_then(|row| match (old, new) {
            (View::ProcessTree, View::ProcessList) | (View::ProcessList, View::ProcessTree) => {
                Some(row)
            }
            (View::Namespace, View::Objects) => self
                .book
                .object_of_entry(&self.book.entries.rows[row as usize]),
            (View::Objects, View::Namespace) => {
                self.book.entry_of(&self.book.objects.rows[row as usize])
            }
            _ => None,
        });
        self.views[self.pane as usize] = new;
        if let Some(row) = row {
            self.with_table(|list, table| list.select(table, row));
        }
    }

    fn open(&mut self) {
        if !self.list().shows_tree() {
            return self.say("there are no branches here");
        }
        // On an open branch it goes into it.
        let selected = self.list().selected();
        let is_open = selected.and_then(|row| self.list().branch(row).1) == Some(true);
        self.with_list(|list| match is_open {
            true => list.move_by(1),
            false => _ = list.set_open(true),
        });
    }

    fn close(&mut self) {
        if !self.list().shows_tree() {
            return self.say("there are no branches here");
        }
        self.with_table(|list, table| list.set_open(false) || list.go_to_parent(table));
    }

    fn set_all_open(&mut self, open: bool) {
        if !self.list().shows_tree() {
            return self.say("there are no branches here");
        }
        self.with_table(|list, table| list.set_all_open(table, open));
    }

    fn search_on(&mut self, direction: Direction) {
        if self.searched.is_empty() {
            return self.say("nothing was searched yet; / does");
        }
        let text = self.searched.clone();
        self.with_list(|list| list.search(&text, direction));
    }

    fn search_key(&mut self, mut text: String, from: Option<u32>, key: KeyEvent) -> Effect {
        match edit(&mut text, key) {
            Edited::Cancelled => {
                self.with_list(List::stop_search);
                self.select_again(from);
            }
            Edited::Done => self.searched = text,
            Edited::Changed => {
                // Each text is looked for from where the search began.
                self.select_again(from);
                self.with_list(|list| list.search(&text, Direction::Here));
                self.mode = Mode::Search { text, from };
            }
            Edited::Unchanged => self.mode = Mode::Search { text, from },
        }
        Effect::Nothing
    }

    fn select_again(&mut self, row: Option<u32>) {
        if let Some(row) = row {
            self.with_table(|list, table| list.select(table, row));
        }
    }

    fn filter_key(&mut self, mut text: String, before: String, key: KeyEvent) -> Effect {
        match edit(&mut text, key) {
            Edited::Cancelled => self.with_table(|list, table| list.set_filter(table, &before)),
            Edited::Done => {}
            Edited::Changed => {
                self.with_table(|list, table| list.set_filter(table, &text));
                self.mode = Mode::Filter { text, before };
            }
            Edited::Unchanged => self.mode = Mode::Filter { text, before },
        }
        Effect::Nothing
    }

    /// Sorts by the next column to the right or left; between the last and the first there is the snapshot's order.
    fn turn_sort(&mut self, right: bool) {
        let columns = self.list().used_columns();
        let place = self.list().sort.and_then(|sort| {
            let mut places = columns.iter();
            places.position(|column| *column == sort.column)
        });
        let next = match (place, right) {
            (None, true) => columns.first(),
            (None, false) => columns.last(),
            (Some(place), true) => columns.get(place + 1),
            (Some(place), false) => place.checked_sub(1).and_then(|before| columns.get(before)),
        };
        let sort = next.map(|column| Sort {
            column: *column,
            descending: false,
        });
        self.set_sort(sort);
    }

    fn reverse_sort(&mut self) {
        match self.list().sort {
            None => self.say("the snapshot's order stays as it is; > sorts by a column"),
            Some(sort) => self.set_sort(Some(Sort {
                descending: !sort.descending,
                ..sort
            })),
        }
    }

    fn set_sort(&mut self, sort: Option<Sort>) {
        self.with_table(|list, table| list.set_sort(table, sort));
        let table = self.book.table(self.view());
        self.say(match sort {
            None => "sorted as the snapshot has them".to_owned(),
            Some(sort) => format!(
                "sorted by {}, {}",
                table.heading(sort.column).title,
                if sort.descending {
                    "descending"
                } else {
                    "ascending"
                }
            ),
        });
    }

    fn place(&self) -> Place {
        Place {
            view: self.view(),
            scope: self.scope,
            filter: self.list().filter().to_owned(),
            row: self.list().selected(),
        }
    }

    /// Goes on to a row, with a way back.
    fn jump(&mut self, view: View, scope: Scope, row: Option<u32>) {
        self.back.push(self.place());
        if self.back.len() > MOST_PLACES {
            self.back.remove(0);
        }
        self.forward.clear();
        let filter = match scope == self.scope {
            true => self.lists[view as usize].filter().to_owned(),
            false => String::new(),
        };
        self.show(&Place {
            view,
            scope,
            filter,
            row,
        });
        // What was jumped to must be there.
        if let Some(row) = row.filter(|row| self.list().selected() != Some(*row)) {
            self.with_table(|list, table| {
                list.set_filter(table, "");
                list.select(table, row)
            });
        }
    }

    fn show(&mut self, place: &Place) {
        self.pane = place.view.pane();
        self.views[self.pane as usize] = place.view;
        if place.scope != self.scope {
            self.scope = place.scope;
            let rows = match place.scope {
                Scope::All => (0..self.book.handles.rows.len() as u32).collect(),
                Scope::OfProcess(pid) => self.book.handles_of(pid),
                Scope::ToObject(object) => self.book.handles_to(object),
            };
            let table = self.book.table(View::Handles);
            self.lists[View::Handles as usize].restrict(table, rows);
        }
        self.with_table(|list, table| {
            list.set_filter(table, &place.filter);
            if let Some(row) = place.row {
                list.stand_on(table, row);
            }
        });
    }

    fn go_back(&mut self) {
        match self.back.pop() {
            None => self.say("this is where you began"),
            Some(place) => {
                self.forward.push(self.place());
                self.show(&place);
            }
        }
    }

    fn go_forward(&mut self) {
        match self.forward.pop() {
            None => self.say("there is no way forward"),
            Some(place) => {
                self.back.push(self.place());
                self.show(&place);
            }
        }
    }

    fn follow(&mut self) {
        match self.view() {
            View::Handles => self.follow_object(),
            View::Keys => self.follow_handle(),
            _ => self.follow_handles(),
        }
    }

    /// The object that the selected row is about.
    fn object(&self) -> Option<u32> {
        let row = self.list().selected()?;
        match self.view() {
            View::Handles => self.book.object_of(&self.book.handles.rows[row as usize]),
            View::Namespace => self
                .book
                .object_of_entry(&self.book.entries.rows[row as usize]),
            View::Objects => Some(row),
            View::Keys => {
                let key = &self.book.keys.rows[row as usize];
                let handle = self.book.handle(key.pid, key.handle)?;
                let handle = &self.book.handles.rows[handle as usize];
                self.book.object_of(handle)
            }
            _ => None,
        }
    }

    fn follow_object(&mut self) {
        match self.object() {
            Some(object) => self.jump(View::Objects, self.scope, Some(object)),
            None => self.say(self.why_no_object()),
        }
    }

    fn why_no_object(&self) -> &'static str {
        match self.view() {
            View::Handles | View::Keys => {
                "which object it leads to is not known: the kernel hides its address"
            }
            View::Namespace => "no handle of it was taken, so its object is not known",
            View::Objects => "there is no row",
            _ => "there is no object in this row",
        }
    }

    /// The handles of the selected process, or those to the object that the row is about.
    fn follow_handles(&mut self) {
        let Some(row) = self.list().selected() else {
            return self.say("there is no row");
        };
        match self.view() {
            View::ProcessTree | View::ProcessList => {
                let pid = self.book.processes.rows[row as usize].pid;
                self.jump(View::Handles, Scope::OfProcess(pid), None);
            }
            View::Handles | View::Namespace | View::Objects | View::Keys => {
                let Some(object) = self.object() else {
                    return self.say(self.why_no_object());
                };
                // From a handle one stays on it, among the others.
                let on = (self.view() == View::Handles).then_some(row);
                self.jump(View::Handles, Scope::ToObject(object), on);
            }
            _ => return self.say("there is nothing to follow in this row"),
        }
        if self.list().row_count() == 0 {
            self.say("nobody has a handle to it; b goes back");
        }
    }

    /// The handle of a row in the list of open keys.
    fn follow_handle(&mut self) {
        let row = self.list().selected();
        let key = row.map(|row| &self.book.keys.rows[row as usize]);
        match key.and_then(|key| self.book.handle(key.pid, key.handle)) {
            Some(handle) => self.jump(View::Handles, Scope::All, Some(handle)),
            None => self.say("its handle is not in the list of handles"),
        }
    }

    fn follow_process(&mut self) {
        let row = self.list().selected();
        let pid = row.and_then(|row| match self.view() {
            View::Handles => Some(self.book.handles.rows[row as usize].pid),
            View::Keys => Some(self.book.keys.rows[row as usize].pid),
            _ => None,
        });
        let Some(pid) = pid else {
            return self.say("there is no process in this row");
        };
        match self.book.process(pid) {
            Some(row) => self.jump(self.views[Pane::Processes as usize], self.scope, Some(row)),
            None => self.say(format!("process {pid} is not in the list of processes")),
        }
    }

    fn widen(&mut self) {
        // The marks of the last search go as well.
        self.searched.clear();
        if !self.list().filter().is_empty() {
            self.with_table(|list, table| list.set_filter(table, ""));
        } else if self.view() == View::Handles && self.scope != Scope::All {
            let row = self.list().selected();
            self.jump(View::Handles, Scope::All, row);
        }
    }

    fn page(&mut self, title: impl Into<String>, lines: Vec<(String, String)>) {
        self.mode = Mode::Page(Page {
            title: title.into(),
            lines,
            scroll: 0,
        });
    }

    fn page_key(&mut self, mut page: Page, key: KeyEvent) -> Effect {
        let height = self.height.max(1);
        match keys::command(key) {
            Some(Command::Quit) if key.modifiers.contains(KeyModifiers::CONTROL) => {
                return Effect::Quit;
            }
            Some(Command::Up) => page.scroll = page.scroll.saturating_sub(1),
            Some(Command::Down) => page.scroll += 1,
            Some(Command::PageUp) => page.scroll = page.scroll.saturating_sub(height),
            Some(Command::PageDown) => page.scroll += height,
            Some(Command::First) => page.scroll = 0,
            // As far as there are lines: that is known when it is drawn.
            Some(Command::Last) => page.scroll = usize::MAX / 2,
            // Any other key closes it.
            _ => return Effect::Nothing,
        }
        self.mode = Mode::Page(page);
        Effect::Nothing
    }

    fn details(&mut self) {
        let Some(row) = self.list().selected() else {
            return self.say("there is no row");
        };
        let view = self.view();
        let everything = self.book.table(view).everything(row);
        let lines = everything
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        self.page("Details", lines);
    }

    fn problems(&mut self) {
        let problems = &self.book.problems;
        if problems.is_empty() {
            return self.say("everything could be read");
        }
        let lines = problems
            .iter()
            .enumerate()
            .map(|(number, (problem, _))| {
                let text = shown::visible(&problem.to_string());
                ((number + 1).to_string(), text)
            })
            .collect();
        self.page("What could not be read", lines);
    }

    fn help(&mut self) {
        let line = |(keys, what): &(&str, &str)| ((*keys).to_owned(), (*what).to_owned());
        let lines = keys::HELP.iter().map(line).collect();
        self.page("Keys", lines);
    }

    /// A row as the table shows it, its cells separated by tabs.
    fn row_text(&self, row: u32) -> String {
        let table = self.book.table(self.view());
        let cells: Vec<String> = (0..table.column_count())
            .map(|column| table.value(row, column).shown())
            .collect();
        cells.join("\t")
    }

    fn copy_row(&mut self) -> Effect {
        match self.list().selected() {
            Some(row) => self.copy("the row", self.row_text(row)),
            None => self.nothing_to_copy(),
        }
    }

    fn copy_name(&mut self) -> Effect {
        let Some(row) = self.list().selected() else {
            return self.nothing_to_copy();
        };
        let table = self.book.table(self.view());
        let column = table.main();
        let title = table.heading(column).title;
        let value = table.value(row, column).shown();
        self.copy(title, value)
    }

    fn nothing_to_copy(&mut self) -> Effect {
        self.say("there is nothing to copy");
        Effect::Nothing
    }

    fn copy(&mut self, what: &str, text: String) -> Effect {
        if text.len() > LARGEST_COPY {
            self.say(too_long(text.len()));
            return Effect::Nothing;
        }
        let start: String = text.replace('\t', "  ").chars().take(SHOWN_COPY).collect();
        self.say(format!("copied {what}: {start}"));
        Effect::Copy(text)
    }

    /// Every row that is shown, below the titles of the columns.
    fn copy_list(&mut self) -> Effect {
        if self.list().len() == 0 {
            return self.nothing_to_copy();
        }
        let table = self.book.table(self.view());
        let titles: Vec<&str> = (0..table.column_count())
            .map(|column| table.heading(column).title)
            .collect();
        let mut text = titles.join("\t");
        for row in self.list().rows() {
            text.push('\n');
            text += &self.row_text(*row);
            if text.len() > LARGEST_COPY {
                self.say(too_long(text.len()));
                return Effect::Nothing;
            }
        }
        text.push('\n');
        let rows = shown::count(self.list().len(), "row", "rows");
        let size = shown::size(text.len() as u64);
        self.say(format!("copied {rows} with their titles, {size}"));
        Effect::Copy(text)
    }
}

fn too_long(bytes: usize) -> String {
    format!(
        "not copied: {} or more, and terminals take {}; filter first, or use the other commands",
        shown::size(bytes as u64),
        shown::size(LARGEST_COPY as u64)
    )
}

/// What a key did to a text that is typed.
enum Edited {
    Changed,
    Unchanged,
    Done,
    Cancelled,
}

fn edit(text: &mut String, key: KeyEvent) -> Edited {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Enter => return Edited::Done,
        KeyCode::Esc => return Edited::Cancelled,
        KeyCode::Char('c') if control => return Edited::Cancelled,
        // As in a shell: the whole line.
        KeyCode::Char('u') if control => text.clear(),
        KeyCode::Backspace if text.pop().is_some() => {}
        // Behind an empty text it leaves, as in an editor.
        KeyCode::Backspace => return Edited::Done,
        KeyCode::Char(character) if !control => text.push(character),
        _ => return Edited::Unchanged,
    }
    Edited::Changed
}
