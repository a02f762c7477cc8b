//! Everything that can be asked of a snapshot or of one answer, each question within its limits.

use bootshot_reader::decode::{
    self, Buffer, HandleClass, ModuleClass, PageFileClass, ProcessClass,
};
use bootshot_reader::layout::PointerWidth;
use bootshot_reader::salvage::{NotSalvaged, salvage};
use bootshot_reader::verify::verify;
use bootshot_reader::{Problem, Snapshot};

use crate::limits::Limit;

/// The least that makes an entry is a handle of 16 bytes or a record of 48; the most that is made of it is a line of the
/// summary, or a few problems with their messages.
pub const READER: Limit = Limit {
    peak_factor: 24,
    total_factor: 48,
    constant: 64 << 10,
};

/// Beside reading, findings: some hundred bytes each, and at most a thousand of a kind.
pub const VERIFICATION: Limit = Limit {
    peak_factor: 32,
    total_factor: 64,
    constant: 64 << 10,
};

/// A payload decoder; gives how many entries it read.
type Decoder = fn(&Buffer<'_>, &mut Vec<Problem>) -> usize;

/// Every payload decoder, with the bytes its shortest entry takes.
pub const DECODERS: &[(&str, usize, Decoder)] = &[
    ("processes of class 5", 184, |buffer, problems| {
        processes(buffer, ProcessClass::Basic, problems)
    }),
    ("processes of class 57", 184, |buffer, problems| {
        processes(buffer, ProcessClass::Extended, problems)
    }),
    ("processes of class 148", 184, |buffer, problems| {
        processes(buffer, ProcessClass::Full, problems)
    }),
    ("handles of class 16", 16, |buffer, problems| {
        decode::handles(buffer, HandleClass::Basic, problems).len()
    }),
    ("handles of class 64", 28, |buffer, problems| {
        decode::handles(buffer, HandleClass::Extended, problems).len()
    }),
    ("modules of class 11", 284, |buffer, problems| {
        modules(buffer, ModuleClass::Basic, problems)
    }),
    ("modules of class 77", 284, |buffer, problems| {
        modules(buffer, ModuleClass::Extended, problems)
    }),
    ("page files of class 18", 24, |buffer, problems| {
        decode::page_files(buffer, PageFileClass::Basic, problems).len()
    }),
    ("page files of class 144", 24, |buffer, problems| {
        decode::page_files(buffer, PageFileClass::Extended, problems).len()
    }),
    ("object types", 80, |buffer, problems| {
        let types = decode::object_types(buffer, problems);
        types.iter().for_each(|entry| {
            entry.generic_mapping();
        });
        types.len()
    }),
    ("directory entries", 16, |buffer, problems| {
        decode::directory_entries(buffer, problems).len()
    }),
    ("key value of class 1", 20, |buffer, problems| {
        key_value(buffer, 1, problems)
    }),
    ("key value of class 2", 12, |buffer, problems| {
        key_value(buffer, 2, problems)
    }),
    ("run of keys", 16, |buffer, problems| {
        decode::subkeys(buffer, problems).len()
    }),
    ("run of values", 20, |buffer, problems| {
        decode::key_values(buffer, problems).len()
    }),
    ("flags of a key", 8, |buffer, problems| {
        decode::key_flags(buffer, problems).iter().len()
    }),
    ("pool tags", 28, |buffer, problems| {
        decode::pool_tags(buffer, problems).len()
    }),
    ("variables of the firmware", 32, |buffer, problems| {
        decode::firmware_variables(buffer, problems).len()
    }),
    (
        "names of variables of the firmware",
        20,
        |buffer, problems| decode::firmware_variable_names(buffer, problems).len(),
    ),
    ("platform binary table", 66, |buffer, problems| {
        decode::platform_binary_table(buffer, problems).iter().len()
    }),
    ("protection", 1, |buffer, problems| {
        let protection = decode::protection(buffer, problems);
        protection.map(|level| level.to_string()).iter().len()
    }),
    ("telemetry id", 16, |buffer, problems| {
        let id = decode::telemetry_id(buffer, problems);
        id.and_then(|id| Some(id.user?.to_string())).iter().len()
    }),
    ("SID behind a pointer", 8, |buffer, problems| {
        let sid = decode::sid_and_attributes(buffer, problems);
        sid.map(|sid| sid.to_string()).iter().len()
    }),
    ("object", 16, |buffer, problems| {
        let object = decode::object(buffer, problems);
        object.iter().len()
    }),
    ("security descriptor", 20, |buffer, _| {
        let text = decode::security_descriptor(buffer.bytes());
        text.iter().len()
    }),
    ("processes of a job", 4, |buffer, problems| {
        let processes = decode::job_processes(buffer, problems);
        processes.map_or(0, |processes| processes.ids.len())
    }),
];

fn processes(buffer: &Buffer<'_>, class: ProcessClass, problems: &mut Vec<Problem>) -> usize {
    let entries = decode::processes(buffer, class, problems);
    let threads: usize = entries.iter().map(|entry| entry.threads.len()).sum();
    // A thread takes 64 bytes at least.
    assert!(threads <= buffer.bytes().len() / 64);
    entries.len()
}

fn modules(buffer: &Buffer<'_>, class: ModuleClass, problems: &mut Vec<Problem>) -> usize {
    let entries = decode::modules(buffer, class, problems);
    for entry in &entries {
        let (path, name) = entry.path();
        assert!(path.is_char_boundary(name));
    }
    entries.len()
}

fn key_value(buffer: &Buffer<'_>, class: u32, problems: &mut Vec<Problem>) -> usize {
    let value = decode::key_value(buffer, class, problems);
    value
        .map(|value| (value.text(), value.texts(), value.number()))
        .iter()
        .len()
}

/// Runs the decoder of this index on a buffer.
pub fn decode(index: usize, bytes: &[u8], address: u64, width: PointerWidth) {
    let (name, entry_size, decoder) = DECODERS[index % DECODERS.len()];
    let buffer = Buffer::new(bytes, address, width);
    READER.ask(name, bytes.len(), || {
        let mut problems = Vec::new();
        let entries = decoder(&buffer, &mut problems);
        assert!(
            entries <= bytes.len() / entry_size,
            "{name}: {entries} entries in {} bytes",
            bytes.len()
        );
        // A handful for each entry, and one at the end.
        assert!(
            problems.len() <= 8 * (entries + 1),
            "{name}: {}",
            problems.len()
        );
    });
}

/// Reads a file and asks all that can be asked of it. Gives the number of sections; none when it is refused.
pub fn ask_everything(file: &[u8]) -> Option<usize> {
    let length = file.len();
    let snapshot = match READER.ask("parse", length, || Snapshot::parse(file)) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            error.to_string();
            return None;
        }
    };
    assert!(snapshot.sections.len() <= length / 48);
    assert!(snapshot.problems.len() <= length / 8);
    let summary = READER.ask("summary", length, || snapshot.summary());
    READER.ask("summary as JSON", length, || json(&summary.value));
    drop(summary);
    READER.ask("problems as text", length, || {
        snapshot.problems.iter().for_each(|problem| {
            problem.to_string();
        });
    });
    READER.ask("answers", length, || {
        for answer in snapshot.answers() {
            // Class and source are whatever the file says: names and bytes are there for each.
            let _ = (answer.name(), answer.value_name(), answer.buffer());
        }
    });
    macro_rules! ask {
        ($($question:ident),*) => { $(
            let reading = READER.ask(stringify!($question), length, || snapshot.$question());
            READER.ask(concat!(stringify!($question), " as JSON"), length, || {
                json(&reading.value)
            });
            reading.problems.iter().for_each(|problem| {
                problem.to_string();
            });
            drop(reading);
        )* };
    }
    ask!(
        processes,
        threads,
        handles,
        types,
        modules,
        memory,
        boot,
        peb,
        hives,
        registry_links,
        services,
        minifilters,
        autologgers,
        session_manager,
        control,
        key_handles,
        wfp,
        drivers,
        firmware_variables,
        objects,
        unnamed_directories,
        symbolic_links,
        jobs
    );
    let namespace = READER.ask("namespace", length, || snapshot.namespace());
    READER.ask("namespace as JSON", length, || {
        json(&namespace.value.entries)
    });
    READER.ask("namespace as a tree", length, || {
        let root = namespace.value.directory("\\").unwrap_or_default();
        assert!(namespace.value.below(root).len() <= namespace.value.entries.len());
    });
    drop(namespace);
    let zombies = READER.ask("zombies", length, || snapshot.zombies());
    READER.ask("zombies as JSON", length, || {
        json(&zombies.value.processes);
        json(&zombies.value.threads);
        json(&zombies.value.ended_during_capture);
    });
    drop(zombies);
    Some(snapshot.sections.len())
}

/// Compares what a file says with itself.
pub fn verify_it(file: &[u8]) {
    if let Ok(verification) = VERIFICATION.ask("verify", file.len(), || verify(file)) {
        VERIFICATION.ask("verification as JSON", file.len(), || json(&verification));
    }
}

/// Salvages a file; what comes of it is sound.
pub fn salvage_it(file: &[u8]) {
    if let Ok(salvaged) = READER.ask("salvage", file.len(), || salvage(file)) {
        let snapshot = Snapshot::parse(&salvaged.file).expect("the header was sound");
        // What a batch holds is none of its business.
        let of_batch = |problem: &Problem| problem.what == "batch";
        assert!(snapshot.problems.iter().all(of_batch));
        assert_eq!(snapshot.sections.len(), salvaged.kept.len());
        assert_eq!(salvage(&salvaged.file).err(), Some(NotSalvaged::Whole));
    }
}

/// Writes JSON as a program would that writes to a pipe: without keeping it.
fn json(value: &impl serde::Serialize) {
    serde_json::to_writer(std::io::sink(), value).expect("records serialize");
}
