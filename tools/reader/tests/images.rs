//! What kind of program an image is: from its first page, joined with processes and modules by its path.

use bootshot_format::{Family, OpenKind, Outcome, Source};
use bootshot_reader::Snapshot;
use test_snapshots::{Builder, Entry};

const ADDRESS: u64 = 0x10_0000;

/// The headers of an image: `IMAGE_DOS_HEADER`, the signature, `IMAGE_FILE_HEADER`, `IMAGE_OPTIONAL_HEADER` of the
/// machine's width, without data directories.
fn image(machine: u16, subsystem: u16) -> Vec<u8> {
    let wide = machine != 0x014C;
    let mut bytes = vec![0; 0x80];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3C] = 0x80;
    bytes.extend(b"PE\0\0");
    let optional_size: u16 = if wide { 0x70 } else { 0x60 };
    let mut file = [0; 20];
    file[..2].copy_from_slice(&machine.to_le_bytes());
    file[16..18].copy_from_slice(&optional_size.to_le_bytes());
    bytes.extend(file);
    let mut optional = vec![0; optional_size.into()];
    let magic: u16 = if wide { 0x20B } else { 0x10B };
    optional[..2].copy_from_slice(&magic.to_le_bytes());
    optional[68..70].copy_from_slice(&subsystem.to_le_bytes());
    bytes.extend(optional);
    bytes.resize(0x1000, 0);
    bytes
}

fn page(path: &str, bytes: &[u8]) -> Entry {
    Entry::new(Source::FILE_CONTENT, 0, ADDRESS, bytes).named(path)
}

fn parse(file: &[u8]) -> Snapshot<'_> {
    Snapshot::parse(file).expect("a sound header")
}

/// `ProcessImageFileName` of the recorded process of this index.
fn path_of(index: usize, path: &str) -> Entry {
    let file = Builder::recorded_x64().finish();
    let process = parse(&file).processes().value[index].clone();
    let characters = test_snapshots::utf16(path);
    let mut bytes = (characters.len() as u16).to_le_bytes().repeat(2);
    bytes.resize(8, 0);
    bytes.extend((ADDRESS + 16).to_le_bytes());
    bytes.extend(characters);
    let created = process.create_time.map_or(0, |time| time.ticks() as u64);
    Entry::new(Source::PROCESS_INFORMATION, 27, ADDRESS, &bytes).about(process.pid, created)
}

#[test]
fn a_process_has_the_machine_and_subsystem_of_its_image() {
    let smss = "\\Device\\HarddiskVolume1\\Windows\\System32\\smss.exe";
    let other = "\\Device\\HarddiskVolume1\\x.exe";
    let mut builder = Builder::recorded_x64();
    builder.batch(Family::DETAILS, &[path_of(2, smss), path_of(3, other)]);
    builder.batch(
        Family::IMAGES,
        &[
            page(&smss.to_uppercase(), &image(0x8664, 1)),
            page(other, &image(0x014C, 3)),
        ],
    );
    let file = builder.finish();
    let processes = parse(&file).processes().value;
    let kind = |index: usize| {
        let process: &bootshot_reader::records::Process = &processes[index];
        (
            process.machine,
            process.subsystem,
            process.image_status.clone(),
        )
    };
    assert_eq!(kind(2), (Some("x64"), Some("native"), None));
    assert_eq!(kind(3), (Some("x86"), Some("windows console"), None));
    let (_, none, why) = kind(1);
    assert_eq!(
        (none, why.as_deref()),
        (None, Some("its path is not known"))
    );
}

#[test]
fn a_module_has_the_machine_and_subsystem_of_its_image_or_a_reason() {
    let plain = Builder::recorded_x64().finish();
    let modules = parse(&plain).modules().value;
    let why = modules[0].image_status.as_deref();
    assert_eq!(why, Some("images were not captured"));

    let mut builder = Builder::recorded_x64();
    let refused = Entry::new(Source::OPEN, OpenKind::FILE.0, 0, &[]);
    let mut foreign = image(0x8664, 1);
    foreign.truncate(0xA0);
    builder.batch(
        Family::IMAGES,
        &[
            page(&modules[0].path, &image(0xAA64, 1)),
            refused.named(&modules[1].path).status(0xC000_0043),
            page(&modules[2].path, &foreign),
            page(&modules[3].path, b"no image"),
        ],
    );
    let file = builder.finish();
    let modules = parse(&file).modules().value;
    assert_eq!(
        (modules[0].machine, modules[0].subsystem),
        (Some("arm64"), Some("native"))
    );
    let why: Vec<_> = modules[..5]
        .iter()
        .map(|module| module.image_status.as_deref().unwrap_or("read"))
        .collect();
    let cut = "its first page has no whole headers of an image";
    assert_eq!(
        why,
        [
            "read",
            "0xC0000043 STATUS_SHARING_VIOLATION",
            cut,
            cut,
            "its image was not asked for"
        ]
    );
}

#[test]
fn at_boot_the_reason_is_the_phase() {
    let mut builder = Builder::recorded_x64();
    builder.skipped(Family::IMAGES, Outcome::SKIPPED_BY_PHASE);
    let file = builder.finish();
    let snapshot = parse(&file);
    let last = snapshot.sections.last().expect("a section");
    assert!(last.is_batch());
    assert_eq!(
        snapshot.modules().value[0].image_status.as_deref(),
        Some("images are read on a running system only, not at boot")
    );
}
