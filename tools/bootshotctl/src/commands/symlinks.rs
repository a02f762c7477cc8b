//! `symlinks`: the symbolic links of the object namespace, where they lead, and whether that is there.

use bootshot_reader::records::{SymbolicLink, TargetStatus};
use bootshot_reader::tables;

use crate::error::{Error, Outcome};
use crate::output::{Align, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Arguments of `symlinks`.
#[derive(clap::Args)]
#[command(after_help = "\
A dynamic link has no target: the kernel decides at each open what it leads to. bootshot tries such a link as an event and as \
a section, and says what it got.

Example: bootshotctl symlinks --dangling")]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
    /// Only links that the kernel decides at each open
    #[arg(long)]
    dynamic: bool,
    /// Only links whose target is not there, or that lead to each other
    #[arg(long, conflicts_with = "dynamic")]
    dangling: bool,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let mut reading = snapshot.symbolic_links();
    reading.value.retain(|link| {
        let dangles = matches!(
            link.target_status,
            TargetStatus::Dangling | TargetStatus::Loop
        );
        (!args.dynamic || link.dynamic.is_some()) && (!args.dangling || dangles)
    });
    let links = &mut reading.value;
    args.selection.apply(&tables::SYMLINKS, links)?;
    args.selection
        .show(args.input.json, &tables::SYMLINKS, links, links, |links| {
            table(links).print()
        })?;
    Ok(reading::finish(&snapshot, &reading.problems))
}

fn table(links: &[SymbolicLink]) -> Table {
    let mut table = Table::new(&[
        ("CREATED", Align::Left),
        ("RESULT", Align::Left),
        ("LEADS TO", Align::Left),
        ("LINK", Align::Left),
        ("TARGET", Align::Left),
    ]);
    for link in links {
        table.row([
            shown::optional(link.creation_time.map(shown::moment)),
            result(link.target_status).to_owned(),
            leads_to(link),
            link.path.to_string(),
            match (&link.target_error, &link.target) {
                (Some(error), _) => format!("({error})"),
                (None, Some(target)) if !target.is_empty() => target.to_string(),
                (None, _) => "(empty)".to_owned(),
            },
        ]);
    }
    table
}

fn leads_to(link: &SymbolicLink) -> String {
    if let Some(dynamic) = &link.dynamic {
        let which = match (dynamic.memory_condition, &dynamic.name) {
            (Some(condition), _) => format!(", memory condition {condition}"),
            (None, Some(name)) => format!(" {name}"),
            (None, None) => String::new(),
        };
        return format!("{}{which}", dynamic.object_type);
    }
    let object_type = link.resolved_type.as_deref();
    shown::optional(
        object_type
            .zip(link.resolved_path.as_ref())
            .map(|(object_type, path)| format!("{object_type} {path}")),
    )
}

const fn result(status: TargetStatus) -> &'static str {
    match status {
        TargetStatus::Found => "found",
        TargetStatus::Dangling => "dangling",
        TargetStatus::Loop => "loop",
        TargetStatus::NotKnown => "not known",
        TargetStatus::Dynamic => "dynamic",
    }
}
