//! `registry`: the registry as it really is at this moment, one view of it at a time.

use bootshot_reader::records::{
    Autologger, Hives, KeyHandles, KeyValues, Links, MinifilterInstance, Service, Start, ValueData,
};
use bootshot_reader::tables::{self, Cell};

use crate::error::{Error, Outcome};
use crate::output::{self, Align, NOTHING, Pairs, Table};
use crate::reading::{self, Input};
use crate::selection::Selection;
use crate::shown;

/// Arguments of `registry`.
#[derive(clap::Args)]
#[command(
    after_help = "Example: bootshotctl registry boot.bshot services --all\n\nWithout a view: hives. --json has all columns and more."
)]
pub struct Args {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    selection: Selection,
    /// What of it
    #[arg(value_enum, default_value_t = View::Hives)]
    view: View,
    /// Services: those that start later than boot and system as well
    #[arg(long)]
    all: bool,
}

/// A view of the registry.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum View {
    /// The roots, and which hives are loaded from which files
    Hives,
    /// Links with their targets, and keys that are in memory only
    Links,
    /// Key handles of all processes, by hive
    Keys,
    /// Drivers and services that start with the boot, in load order
    Services,
    /// Instances of file system minifilters, the highest altitude first
    Minifilters,
    /// Trace sessions that start with the boot
    Autologgers,
    /// The Session Manager's key and those below it
    SessionManager,
    /// The other keys that decide the boot
    Control,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    if args.all && args.view != View::Services {
        return Err(Error::usage("--all goes with the view \"services\""));
    }
    let file = args.input.open()?;
    let snapshot = file.snapshot()?;
    let (selection, json) = (&args.selection, args.input.json);
    // The rows are the value that was read, or the list `$rows` in it.
    macro_rules! show {
        ($reading:expr, $table:ident $(of $rows:ident)?, $print:expr) => {{
            let mut reading = $reading;
            selection.apply(&tables::$table, &mut reading.value$(.$rows)?)?;
            let whole = &reading.value;
            selection.show(json, &tables::$table, &whole$(.$rows)?, whole, $print)?;
            reading.problems
        }};
    }
    // What is no table, as long as none is asked for.
    macro_rules! show_or_rows {
        ($reading:expr, $table:ident, $wanted:expr, $print:expr) => {{
            if selection.is_used() {
                selection.show_rows(json, &tables::$table, $wanted, &snapshot)?
            } else {
                let reading = $reading;
                args.input.show(&reading.value, $print)?;
                reading.problems
            }
        }};
    }
    let rows_of = |name: &'static str| move |row: &[Cell]| matches!(row.first(), Some(Cell::Text(view)) if view == name);
    let problems = match args.view {
        View::Hives => show!(snapshot.hives(), HIVES of hives, hives),
        View::Links => show!(snapshot.registry_links(), REGISTRY_LINKS of links, links),
        View::Keys => show_or_rows!(snapshot.key_handles(), KEY_HANDLES, |_| true, keys),
        View::Services => {
            let mut reading = snapshot.services();
            let captured = !reading.value.is_empty();
            reading.value.retain(|service| {
                args.all
                    || matches!(
                        service.start_value,
                        Some(Start::BOOT | Start::SYSTEM) | None
                    )
            });
            let all = &mut reading.value;
            selection.apply(&tables::SERVICES, all)?;
            selection.show(json, &tables::SERVICES, all, all, |all| {
                services(all, captured)
            })?;
            reading.problems
        }
        View::Minifilters => {
            show!(snapshot.minifilters(), MINIFILTERS, |all| minifilters(all))
        }
        View::Autologgers => {
            show!(snapshot.autologgers(), AUTOLOGGERS, |all| autologgers(all))
        }
        View::SessionManager => {
            let wanted = rows_of("session-manager");
            show_or_rows!(snapshot.session_manager(), REGISTRY_VALUES, wanted, |all| {
                values(all)
            })
        }
        View::Control => {
            let wanted = rows_of("control");
            show_or_rows!(snapshot.control(), REGISTRY_VALUES, wanted, |all| values(
                all
            ))
        }
    };
    Ok(reading::finish(&snapshot, &problems))
}

/// Says that a list is empty, and why that may be.
fn none(what: &str) -> Result<(), Error> {
    output::line(format!(
        "no {what}: not captured, or there are none (\"bootshotctl raw\" tells)"
    ))
}

fn yes_or_no(answer: Option<bool>) -> String {
    shown::optional(answer.map(|yes| if yes { "yes" } else { "no" }))
}

fn hives(hives: &Hives) -> Result<(), Error> {
    let mut pairs = Pairs::default();
    pairs.add("phase", hives.phase);
    pairs.add("that is", hives.meaning.as_str());
    let quota = hives.quota.as_ref();
    pairs.add(
        "quota",
        shown::optional(quota.map(|quota| {
            format!(
                "{} of {}",
                shown::size(quota.used),
                shown::size(quota.allowed)
            )
        })),
    );
    pairs.print()?;
    output::line("")?;
    match &hives.roots {
        None => output::line("the children of \\REGISTRY were not captured")?,
        Some(roots) => {
            let mut table = Table::new(&[
                ("ROOT", Align::Left),
                ("KEYS", Align::Right),
                ("VOLATILE", Align::Left),
                ("WRITTEN", Align::Left),
                ("STATUS", Align::Left),
            ]);
            for root in roots {
                table.row([
                    root.path.clone(),
                    shown::optional(root.subkey_count),
                    yes_or_no(root.volatile),
                    shown::optional(root.last_write_time.map(shown::moment)),
                    shown::optional(root.status.as_deref()),
                ]);
            }
            table.print()?;
        }
    }
    output::line("")?;
    let mut table = Table::new(&[
        ("HIVE", Align::Left),
        ("LOADED", Align::Left),
        ("LISTED", Align::Left),
        ("KEY EXISTS", Align::Left),
        ("WRITTEN", Align::Left),
        ("FILE", Align::Left),
    ]);
    for hive in &hives.hives {
        table.row([
            hive.path.clone(),
            yes_or_no(hive.loaded),
            yes_or_no(hive.listed),
            yes_or_no(hive.key_exists),
            shown::optional(hive.last_write_time.map(shown::moment)),
            shown::optional(hive.file.as_deref()),
        ]);
    }
    table.print()
}

fn links(links: &Links) -> Result<(), Error> {
    output::line(format!(
        "{} keys were asked whether they are links or volatile",
        links.asked
    ))?;
    output::line("")?;
    let mut table = Table::new(&[
        ("LINK", Align::Left),
        ("VOLATILE", Align::Left),
        ("WRITTEN", Align::Left),
        ("STATUS", Align::Left),
        ("TARGET", Align::Left),
    ]);
    for link in &links.links {
        table.row([
            link.path.clone(),
            yes_or_no(link.volatile),
            shown::optional(link.last_write_time.map(shown::moment)),
            shown::optional(link.status.as_deref()),
            shown::optional(link.target.as_deref()),
        ]);
    }
    table.print()?;
    output::line("")?;
    let mut table = Table::new(&[("VOLATILE KEY", Align::Left)]);
    for path in &links.volatile {
        table.row([path.clone()]);
    }
    table.print()
}

fn keys(keys: &KeyHandles) -> Result<(), Error> {
    let named: u64 = keys.hives.iter().map(|hive| hive.handle_count).sum();
    let mut pairs = Pairs::default();
    pairs.add("key handles", keys.handle_count.to_string());
    pairs.add("  named", named.to_string());
    for unnamed in &keys.unnamed {
        pairs.add(
            format!("  {}", unnamed.reason),
            unnamed.handle_count.to_string(),
        );
    }
    pairs.print()?;
    if keys
        .unnamed
        .iter()
        .any(|unnamed| unnamed.reason.starts_with("own object"))
    {
        output::line(
            "each open of a key makes an object of its own: others' can be named only where their handles can be duplicated",
        )?;
    }
    for reachable in [true, false] {
        output::line("")?;
        output::line(if reachable {
            "reachable from \\REGISTRY"
        } else {
            "below \\REGISTRY\\A and \\REGISTRY\\WC, where no path leads"
        })?;
        let mut table = Table::new(&[
            ("HIVE", Align::Left),
            ("PID", Align::Right),
            ("IMAGE", Align::Left),
            ("HANDLE", Align::Right),
            ("KEY", Align::Left),
        ]);
        for hive in keys.hives.iter().filter(|hive| hive.reachable == reachable) {
            for key in &hive.keys {
                for holder in &key.holders {
                    table.row([
                        hive.hive.clone(),
                        holder.pid.to_string(),
                        shown::optional(holder.image.as_deref()),
                        holder.handle.to_string(),
                        key.path.clone(),
                    ]);
                }
            }
        }
        table.print()?;
    }
    Ok(())
}

fn services(services: &[Service], captured: bool) -> Result<(), Error> {
    if !captured {
        return none("services");
    }
    let mut table = Table::new(&[
        ("ORDER", Align::Right),
        ("START", Align::Left),
        ("NAME", Align::Left),
        ("TYPE", Align::Left),
        ("GROUP", Align::Left),
        ("TAG", Align::Right),
        ("ON ERROR", Align::Left),
        ("DISPLAY NAME", Align::Left),
        ("STATUS", Align::Left),
        ("IMAGE PATH", Align::Left),
    ]);
    for service in services {
        let start = service.start.map(str::to_owned);
        table.row([
            shown::optional(service.load_order),
            shown::optional(start.or_else(|| Some(service.start_value?.to_string()))),
            service.name.clone(),
            shown::optional(service.service_type.as_deref()),
            shown::optional(service.group.as_deref()),
            shown::optional(service.tag),
            shown::optional(service.error_control),
            shown::optional(service.display_name.as_deref()),
            shown::optional(service.status.as_deref()),
            shown::optional(service.image_path.as_deref()),
        ]);
    }
    table.print()
}

fn minifilters(instances: &[MinifilterInstance]) -> Result<(), Error> {
    if instances.is_empty() {
        return none("minifilter instances");
    }
    let mut table = Table::new(&[
        ("ALTITUDE", Align::Right),
        ("SERVICE", Align::Left),
        ("GROUP", Align::Left),
        ("FLAGS", Align::Right),
        ("DEFAULT", Align::Left),
        ("INSTANCE", Align::Left),
    ]);
    for instance in instances {
        table.row([
            shown::optional(instance.altitude.as_deref()),
            instance.service.clone(),
            shown::optional(instance.group),
            shown::optional(instance.flags),
            yes_or_no(instance.default),
            instance.instance.clone(),
        ]);
    }
    table.print()
}

fn autologgers(autologgers: &[Autologger]) -> Result<(), Error> {
    if autologgers.is_empty() {
        return none("trace sessions");
    }
    let mut table = Table::new(&[
        ("SESSION", Align::Left),
        ("START", Align::Left),
        ("LEVEL", Align::Right),
        ("MODE", Align::Right),
        ("GUID", Align::Left),
        ("STATUS", Align::Left),
        ("FILE", Align::Left),
    ]);
    for session in autologgers {
        table.row([
            session.name.clone(),
            yes_or_no(session.start),
            shown::optional(session.level),
            shown::optional(session.log_file_mode),
            shown::optional(session.guid.as_deref()),
            shown::optional(session.status.as_deref()),
            shown::optional(session.file.as_deref()),
        ]);
    }
    table.print()
}

fn values(keys: &[KeyValues]) -> Result<(), Error> {
    if keys.is_empty() {
        return none("values");
    }
    for (place, key) in keys.iter().enumerate() {
        if place != 0 {
            output::line("")?;
        }
        output::line(shown::visible(&key.path))?;
        if let Some(status) = &key.status {
            output::line(format!("  {status}"))?;
        }
        if key.values.is_empty() {
            continue;
        }
        let mut table = Table::new(&[
            ("  NAME", Align::Left),
            ("TYPE", Align::Left),
            ("DATA", Align::Left),
        ]);
        for value in &key.values {
            let name = if value.name.is_empty() {
                "(default)"
            } else {
                &value.name
            };
            table.row([
                format!("  {name}"),
                value.value_type.clone(),
                data(&value.data),
            ]);
        }
        table.print()?;
    }
    Ok(())
}

/// Bytes that are shown of a value of no better type; `--json` has all of them.
const SHOWN_BYTES: usize = 32;

pub fn data(data: &ValueData) -> String {
    match data {
        ValueData::Text(text) => text.clone(),
        ValueData::Texts(texts) if texts.is_empty() => NOTHING.to_owned(),
        ValueData::Texts(texts) => texts.join(" | "),
        ValueData::Number(number) => format!("{number} ({number:#x})"),
        ValueData::Bytes(bytes) => {
            let digits: String = bytes
                .iter()
                .take(SHOWN_BYTES)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            if bytes.len() > SHOWN_BYTES {
                format!("{digits}… ({} bytes)", bytes.len())
            } else {
                digits
            }
        }
    }
}
