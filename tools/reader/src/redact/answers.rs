//! What is known of each answer: which of its bytes are numbers, addresses, text, identifiers. The rest is not copied.

use bootshot_format::{MemoryKind, NoteKind, ObjectHeader, Source};

use super::addresses::Meaning;
use super::copy::Copy;
use super::registry;
use crate::decode::{HandleClass, ModuleClass, PageFileClass, ProcessClass};
use crate::layout::structures as layout;
use crate::layout::{Kind, Shape, Structure, UnicodeString};
use crate::snapshot::Answer;
use crate::value::utf16;

/// Copies what is known of an answer. `false`: nobody knows what is in it.
pub(super) fn copy(answer: &Answer<'_>, copy: &mut Copy<'_, '_>) -> bool {
    let class = answer.class;
    match answer.source {
        Source::SYSTEM_INFORMATION => system(class, copy),
        Source::OBJECT_INFORMATION => object_information(class, copy),
        Source::PROCESS_INFORMATION | Source::PROCESS_HANDLE => process(class, copy),
        Source::THREAD_HANDLE => thread(class, copy),
        Source::TOKEN_INFORMATION => token(class, copy),
        Source::JOB_INFORMATION => job(class, copy),
        Source::OWN_MEMORY | Source::PROCESS_MEMORY => memory(answer, copy),
        Source::REGISTRY_VALUE => registry::value(answer, copy),
        Source::KEY_VALUES if class == 1 => registry::values(answer, copy),
        Source::SUBKEYS if class == 0 => registry::subkeys(copy),
        Source::KEY_INFORMATION if class == 5 => whole::<layout::KEY_FLAGS_INFORMATION>(copy),
        Source::DIRECTORY_OBJECT => directory(copy),
        Source::SYMBOLIC_LINK => {
            copy.text(0, usize::MAX);
            true
        }
        Source::OBJECT => object(copy),
        Source::NOTE => note(class, copy),
        Source::FIRMWARE_VARIABLES => super::firmware::variables(class, copy),
        Source::FILE_INFORMATION => match class {
            4 => whole::<layout::FILE_BASIC_INFORMATION>(copy),
            5 => whole::<layout::FILE_STANDARD_INFORMATION>(copy),
            _ => false,
        },
        Source::FILE_CONTENT => image(copy),
        _ => false,
    }
}

/// An answer that is one structure.
fn whole<S: Structure>(copy: &mut Copy<'_, '_>) -> bool {
    copy.structure::<S>(0, usize::MAX);
    true
}

/// An answer that is one structure behind the other.
fn each<S: Structure>(copy: &mut Copy<'_, '_>) -> bool {
    let size = S::SIZE.at(copy.width());
    for place in 0..copy.bytes().len() / size {
        copy.structure::<S>(place * size, size);
    }
    true
}

fn system(class: u32, copy: &mut Copy<'_, '_>) -> bool {
    if let Some(class) = ProcessClass::from_number(class) {
        processes(class, copy);
        return true;
    }
    if let Some(class) = HandleClass::from_number(class) {
        handles(class, copy);
        return true;
    }
    if let Some(class) = ModuleClass::from_number(class) {
        modules(class, copy);
        return true;
    }
    if let Some(class) = PageFileClass::from_number(class) {
        page_files(class, copy);
        return true;
    }
    match class {
        0 => whole::<layout::SYSTEM_BASIC_INFORMATION>(copy),
        1 => whole::<layout::SYSTEM_PROCESSOR_INFORMATION>(copy),
        2 => whole::<layout::SYSTEM_PERFORMANCE_INFORMATION>(copy),
        3 => whole::<layout::SYSTEM_TIMEOFDAY_INFORMATION>(copy),
        8 => each::<layout::SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION>(copy),
        21 => whole::<layout::SYSTEM_FILECACHE_INFORMATION>(copy),
        22 => pool_tags(copy),
        35 => whole::<layout::SYSTEM_KERNEL_DEBUGGER_INFORMATION>(copy),
        37 => whole::<layout::SYSTEM_REGISTRY_QUOTA_INFORMATION>(copy),
        76 => super::firmware::table(copy),
        80 => whole::<layout::SYSTEM_MEMORY_LIST_INFORMATION>(copy),
        90 => whole::<layout::SYSTEM_BOOT_ENVIRONMENT_INFORMATION>(copy),
        91 => whole::<layout::SYSTEM_HYPERVISOR_QUERY_INFORMATION>(copy),
        103 => whole::<layout::SYSTEM_CODEINTEGRITY_INFORMATION>(copy),
        133 => whole::<layout::SYSTEM_PLATFORM_BINARY_INFORMATION>(copy),
        145 => whole::<layout::SYSTEM_SECUREBOOT_INFORMATION>(copy),
        149 => whole::<layout::SYSTEM_KERNEL_DEBUGGER_INFORMATION_EX>(copy),
        159 => whole::<layout::SYSTEM_HYPERVISOR_DETAIL_INFORMATION>(copy),
        165 => whole::<layout::SYSTEM_ISOLATED_USER_MODE_INFORMATION>(copy),
        182 => whole::<layout::SYSTEM_MEMORY_USAGE_INFORMATION>(copy),
        _ => false,
    }
}

fn processes(class: ProcessClass, copy: &mut Copy<'_, '_>) {
    use layout::SYSTEM_PROCESS_INFORMATION as Process;
    use layout::SYSTEM_PROCESS_INFORMATION_EXTENSION as Extension;

    let width = copy.width();
    let size = Process::Threads.offset.at(width);
    let mut offset = 0;
    while copy.rest(offset).len() >= size {
        let next = copy.number(offset, 4) as usize;
        let end = match next {
            0 => copy.bytes().len(),
            _ => offset.saturating_add(next).min(copy.bytes().len()),
        };
        copy.structure::<Process>(offset, size);
        let claimed = copy.number(offset + Process::NumberOfThreads.offset.at(width), 4) as usize;
        let thread_size = match class {
            ProcessClass::Basic => layout::SYSTEM_THREAD_INFORMATION::SIZE,
            _ => layout::SYSTEM_EXTENDED_THREAD_INFORMATION::SIZE,
        }
        .at(width);
        let mut place = offset + size;
        for _ in 0..claimed.min(end.saturating_sub(place) / thread_size) {
            match class {
                ProcessClass::Basic => {
                    copy.structure::<layout::SYSTEM_THREAD_INFORMATION>(place, thread_size);
                }
                _ => {
                    copy.structure::<layout::SYSTEM_EXTENDED_THREAD_INFORMATION>(
                        place,
                        thread_size,
                    );
                }
            }
            place += thread_size;
        }
        if class == ProcessClass::Full {
            copy.structure::<Extension>(place, end.saturating_sub(place));
            let at = |field: usize| {
                let told = place + field + 4 <= end;
                let distance = if told {
                    copy.number(place + field, 4)
                } else {
                    0
                };
                (distance != 0).then(|| place.saturating_add(distance as usize))
            };
            let user = at(Extension::UserSidOffset.offset.at(width));
            let package = at(Extension::PackageFullNameOffset.offset.at(width));
            let application = at(Extension::AppIdOffset.offset.at(width));
            if let Some(user) = user {
                copy.identifier(user);
            }
            for text in [package, application].into_iter().flatten() {
                copy.text_until_nul(text);
            }
        }
        if next < size {
            break;
        }
        offset = offset.saturating_add(next);
    }
}

fn handles(class: HandleClass, copy: &mut Copy<'_, '_>) {
    use layout::SYSTEM_HANDLE_INFORMATION as Basic;
    use layout::SYSTEM_HANDLE_INFORMATION_EX as Extended;

    let width = copy.width();
    let (start, number, size) = match class {
        HandleClass::Basic => {
            copy.structure::<Basic>(0, Basic::Handles.offset.at(width));
            let size = layout::SYSTEM_HANDLE_TABLE_ENTRY_INFO::SIZE;
            (Basic::Handles.offset, 4, size)
        }
        HandleClass::Extended => {
            copy.structure::<Extended>(0, Extended::Handles.offset.at(width));
            let size = layout::SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX::SIZE;
            (Extended::Handles.offset, width.bytes(), size)
        }
    };
    let (start, size) = (start.at(width), size.at(width));
    let room = copy.rest(start).len() / size;
    let claimed = usize::try_from(copy.number(0, number)).unwrap_or(usize::MAX);
    for place in 0..claimed.min(room) {
        let offset = start + place * size;
        match class {
            HandleClass::Basic => {
                copy.structure::<layout::SYSTEM_HANDLE_TABLE_ENTRY_INFO>(offset, size);
            }
            HandleClass::Extended => {
                copy.structure::<layout::SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX>(offset, size);
            }
        }
    }
}

fn modules(class: ModuleClass, copy: &mut Copy<'_, '_>) {
    use layout::RTL_PROCESS_MODULE_INFORMATION_EX as Extended;
    use layout::RTL_PROCESS_MODULES as List;

    let width = copy.width();
    let size = layout::RTL_PROCESS_MODULE_INFORMATION::SIZE.at(width);
    match class {
        ModuleClass::Basic => {
            let start = List::Modules.offset.at(width);
            copy.structure::<List>(0, start);
            let room = copy.rest(start).len() / size;
            for place in 0..room.min(copy.number(0, 4) as usize) {
                module(start + place * size, copy);
            }
        }
        ModuleClass::Extended => {
            let whole = Extended::SIZE.at(width);
            let mut offset = 0;
            loop {
                copy.numbers(offset, 2);
                let next = copy.number(offset, 2) as usize;
                if next < whole || copy.rest(offset).len() < whole {
                    break;
                }
                module(offset + Extended::BaseInfo.offset.at(width), copy);
                let [checksum, stamp, base] = [
                    Extended::ImageChecksum.offset,
                    Extended::TimeDateStamp.offset,
                    Extended::DefaultBase.offset,
                ]
                .map(|field| offset + field.at(width));
                copy.numbers(checksum, 4);
                copy.numbers(stamp, 4);
                copy.pointer(base, Meaning::Any);
                offset += next;
            }
        }
    }
}

fn module(offset: usize, copy: &mut Copy<'_, '_>) {
    use layout::RTL_PROCESS_MODULE_INFORMATION as Module;

    let width = copy.width();
    let name = Module::FullPathName.offset.at(width);
    let base = copy.number(offset + Module::ImageBase.offset.at(width), width.bytes());
    let size = copy.number(offset + Module::ImageSize.offset.at(width), 4);
    copy.secrets.addresses.module(base, size);
    copy.structure::<Module>(offset, name);
    copy.byte_text(offset + name, Module::SIZE.at(width) - name);
}

fn page_files(class: PageFileClass, copy: &mut Copy<'_, '_>) {
    let size = match class {
        PageFileClass::Basic => layout::SYSTEM_PAGEFILE_INFORMATION::SIZE,
        PageFileClass::Extended => layout::SYSTEM_PAGEFILE_INFORMATION_EX::SIZE,
    }
    .at(copy.width());
    let mut offset = 0;
    while copy.rest(offset).len() >= size {
        match class {
            PageFileClass::Basic => {
                copy.structure::<layout::SYSTEM_PAGEFILE_INFORMATION>(offset, size);
            }
            PageFileClass::Extended => {
                copy.structure::<layout::SYSTEM_PAGEFILE_INFORMATION_EX>(offset, size);
            }
        }
        let next = copy.number(offset, 4) as usize;
        if next < size {
            break;
        }
        offset += next;
    }
}

fn pool_tags(copy: &mut Copy<'_, '_>) -> bool {
    use layout::SYSTEM_POOLTAG_INFORMATION as List;

    let width = copy.width();
    let (start, size) = (
        List::TagInfo.offset.at(width),
        layout::SYSTEM_POOLTAG::SIZE.at(width),
    );
    copy.structure::<List>(0, start);
    let room = copy.rest(start).len() / size;
    for place in 0..room.min(copy.number(0, 4) as usize) {
        copy.structure::<layout::SYSTEM_POOLTAG>(start + place * size, size);
    }
    true
}

fn object_information(class: u32, copy: &mut Copy<'_, '_>) -> bool {
    match class {
        0 => whole::<layout::OBJECT_BASIC_INFORMATION>(copy),
        1 => {
            copy.string(0);
            true
        }
        2 => whole::<layout::OBJECT_TYPE_INFORMATION>(copy),
        3 => types(copy),
        _ => false,
    }
}

fn types(copy: &mut Copy<'_, '_>) -> bool {
    use layout::OBJECT_TYPE_INFORMATION as Type;
    use layout::OBJECT_TYPES_INFORMATION as List;

    let width = copy.width();
    let (header, size) = (List::SIZE.at(width), Type::SIZE.at(width));
    copy.structure::<List>(0, header);
    let mut offset = header.next_multiple_of(width.bytes());
    for _ in 0..copy.number(0, 4) {
        if copy.rest(offset).len() < size {
            break;
        }
        copy.structure::<Type>(offset, size);
        let room = copy.number(
            offset + layout::UNICODE_STRING::MaximumLength.offset.at(width),
            2,
        );
        offset = (offset + size + room as usize).next_multiple_of(width.bytes());
    }
    true
}

fn process(class: u32, copy: &mut Copy<'_, '_>) -> bool {
    match class {
        0 => whole::<layout::PROCESS_BASIC_INFORMATION>(copy),
        4 => whole::<layout::KERNEL_USER_TIMES>(copy),
        26 => {
            copy.pointer(0, Meaning::Any);
            true
        }
        27 => {
            copy.string(0);
            true
        }
        60 => {
            copy.string_header(0);
            if let Some(characters) = copy.characters(0) {
                copy.command_line(characters.start, characters.len());
            }
            true
        }
        61 => whole::<layout::PS_PROTECTION>(copy),
        64 => telemetry_id(copy),
        _ => false,
    }
}

fn telemetry_id(copy: &mut Copy<'_, '_>) -> bool {
    use layout::PROCESS_TELEMETRY_ID_INFORMATION as Id;

    let width = copy.width();
    let end = Id::CommandLineOffset.offset.at(width) + 4;
    copy.structure::<Id>(0, end);
    let at = |copy: &Copy<'_, '_>, field: usize| {
        let place = copy.number(field, 4) as usize;
        (place >= end).then_some(place)
    };
    if let Some(user) = at(copy, Id::UserSidOffset.offset.at(width)) {
        copy.identifier(user);
    }
    for field in [
        Id::ImagePathOffset.offset,
        Id::PackageNameOffset.offset,
        Id::RelativeAppNameOffset.offset,
    ] {
        if let Some(text) = at(copy, field.at(width)) {
            copy.text_until_nul(text);
        }
    }
    // The last, in case that another is said to stand at the same place.
    if let Some(start) = at(copy, Id::CommandLineOffset.offset.at(width)) {
        let (units, _) = copy.rest(start).as_chunks::<2>();
        let length = units.iter().position(|unit| *unit == [0, 0]);
        copy.command_line(start, length.unwrap_or(units.len()) * 2);
    }
    true
}

fn thread(class: u32, copy: &mut Copy<'_, '_>) -> bool {
    match class {
        0 => whole::<layout::THREAD_BASIC_INFORMATION>(copy),
        1 => whole::<layout::KERNEL_USER_TIMES>(copy),
        9 => {
            copy.pointer(0, Meaning::Any);
            true
        }
        _ => false,
    }
}

fn token(class: u32, copy: &mut Copy<'_, '_>) -> bool {
    // TokenUser, TokenIntegrityLevel.
    if !matches!(class, 1 | 25) {
        return false;
    }
    copy.structure::<layout::SID_AND_ATTRIBUTES>(0, usize::MAX);
    let pointer = copy.number(0, copy.width().bytes());
    let start = pointer.checked_sub(copy.address());
    if let Some(start) = start.and_then(|start| usize::try_from(start).ok()) {
        copy.identifier(start);
    }
    true
}

fn job(class: u32, copy: &mut Copy<'_, '_>) -> bool {
    use layout::JOBOBJECT_BASIC_ACCOUNTING_INFORMATION as Accounting;
    use layout::JOBOBJECT_BASIC_PROCESS_ID_LIST as List;

    let width = copy.width();
    match class {
        1 => whole::<Accounting>(copy),
        2 => whole::<layout::JOBOBJECT_BASIC_LIMIT_INFORMATION>(copy),
        3 => {
            let start = List::ProcessIdList.offset.at(width);
            copy.structure::<List>(0, start);
            let count = copy.number(List::NumberOfProcessIdsInList.offset.at(width), 4) as usize;
            copy.numbers(start, count.saturating_mul(width.bytes()));
            true
        }
        8 => {
            let size = Accounting::SIZE.at(width);
            copy.structure::<Accounting>(0, size);
            copy.structure::<layout::IO_COUNTERS>(size, usize::MAX);
            true
        }
        9 => whole::<layout::JOBOBJECT_EXTENDED_LIMIT_INFORMATION>(copy),
        36 => whole::<layout::SILOOBJECT_BASIC_INFORMATION>(copy),
        _ => false,
    }
}

fn directory(copy: &mut Copy<'_, '_>) -> bool {
    use layout::OBJECT_DIRECTORY_INFORMATION as Entry;

    let width = copy.width();
    let size = Entry::SIZE.at(width);
    for place in 0..copy.bytes().len() / size {
        let offset = place * size;
        let names =
            [Entry::Name.offset, Entry::TypeName.offset].map(|name| offset + name.at(width));
        if names.map(|name| copy.characters(name)).contains(&None) {
            break;
        }
        for name in names {
            copy.string(name);
        }
    }
    true
}

fn object(copy: &mut Copy<'_, '_>) -> bool {
    let Some(header) = copy.bytes().first_chunk().map(ObjectHeader::decode) else {
        return false;
    };
    copy.numbers(0, ObjectHeader::SIZE);
    let basic = header.basic_length as usize;
    copy.structure::<layout::OBJECT_BASIC_INFORMATION>(ObjectHeader::SIZE, basic);
    security_descriptor(
        ObjectHeader::SIZE.saturating_add(basic),
        header.security_length as usize,
        copy,
    );
    true
}

/// Copies a self-relative security descriptor. Of entries that are not a mask and an identifier, only their kind.
fn security_descriptor(offset: usize, length: usize, copy: &mut Copy<'_, '_>) {
    use layout::SECURITY_DESCRIPTOR_RELATIVE as Descriptor;

    let width = copy.width();
    let length = length.min(copy.rest(offset).len());
    let size = Descriptor::SIZE.at(width);
    if length < size || copy.number(offset, 1) != 1 {
        return;
    }
    let sacl = Descriptor::Sacl.offset.at(width);
    copy.numbers(offset, sacl);
    let at = |copy: &Copy<'_, '_>, field: usize| {
        let distance = copy.number(offset + field, 4) as usize;
        (distance >= size && distance < length).then(|| offset + distance)
    };
    for field in [Descriptor::Owner.offset, Descriptor::Group.offset] {
        if let Some(identifier) = at(copy, field.at(width)) {
            copy.identifier(identifier);
        }
    }
    let dacl = Descriptor::Dacl.offset.at(width);
    copy.numbers(offset + dacl, 4);
    if let Some(list) = at(copy, dacl) {
        access_control_list(list, offset + length, copy);
    }
}

fn access_control_list(start: usize, end: usize, copy: &mut Copy<'_, '_>) {
    /// Allowed, denied, audit, label.
    const PLAIN: [u64; 4] = [0, 1, 2, 17];
    use layout::{ACCESS_ALLOWED_ACE as Entry, ACE_HEADER as Header, ACL as List};

    let width = copy.width();
    let size = List::SIZE.at(width);
    if start + size > end {
        return;
    }
    copy.structure::<List>(start, size);
    let count = copy.number(start + List::AceCount.offset.at(width), 2);
    let length = copy.number(start + List::AclSize.offset.at(width), 2) as usize;
    let end = end.min(start + length);
    let mut entry = start + size;
    for _ in 0..count {
        let header = Header::SIZE.at(width);
        if entry + header > end {
            break;
        }
        copy.structure::<Header>(entry, header);
        let length = copy.number(entry + Header::AceSize.offset.at(width), 2) as usize;
        if PLAIN.contains(&copy.number(entry, 1)) && entry + length <= end {
            copy.numbers(entry + Entry::Mask.offset.at(width), 4);
            copy.identifier(entry + Entry::SidStart.offset.at(width));
        }
        entry += length.max(header);
    }
}

fn note(class: u32, copy: &mut Copy<'_, '_>) -> bool {
    match NoteKind(class) {
        NoteKind::OUTPUT_DIRECTORY => {
            security_descriptor(0, usize::MAX, copy);
            true
        }
        NoteKind::OUTPUT_FILE_SYSTEM => {
            // FILE_FS_ATTRIBUTE_INFORMATION: attributes, longest name, length of the file system's name, and this.
            copy.numbers(0, 12);
            copy.text(12, copy.number(8, 4) as usize);
            true
        }
        _ => false,
    }
}

/// The strings of `RTL_USER_PROCESS_PARAMETERS` that are or may be command lines; the file handles for the C library are
/// nothing that anybody reads.
const COMMAND_LINES: [&str; 3] = ["CommandLine", "WindowTitle", "ShellInfo"];
const UNREAD: &str = "RuntimeData";

fn memory(answer: &Answer<'_>, copy: &mut Copy<'_, '_>) -> bool {
    match MemoryKind(answer.class) {
        MemoryKind::PEB => whole::<layout::PEB>(copy),
        MemoryKind::USER_SHARED_DATA => whole::<layout::KUSER_SHARED_DATA>(copy),
        MemoryKind::PROCESS_PARAMETERS => process_parameters(answer, copy),
        MemoryKind::STRING => string_in_memory(answer, copy),
        MemoryKind::ENVIRONMENT => {
            environment(copy);
            true
        }
        _ => false,
    }
}

fn process_parameters(answer: &Answer<'_>, copy: &mut Copy<'_, '_>) -> bool {
    use layout::{CURDIR, RTL_USER_PROCESS_PARAMETERS as Parameters};

    let width = copy.width();
    let whose = (answer.source.0, answer.argument, answer.argument2);
    let mut command_lines = Vec::new();
    for field in Parameters::FIELDS {
        let (start, size) = (field.offset.at(width), field.size.at(width));
        let is_string = size == UnicodeString::SIZE.at(width)
            && field.shape == Shape::UnicodeString
            || field.name == "CurrentDirectory";
        if !is_string || start + size > copy.bytes().len() {
            copy.fields(std::slice::from_ref(field), 0, usize::MAX);
            continue;
        }
        if field.name == "CurrentDirectory" {
            copy.numbers(start + CURDIR::Handle.offset.at(width), width.bytes());
        }
        let bytes = &copy.rest(start)[..UnicodeString::SIZE.at(width)];
        let string = UnicodeString::read(bytes, width);
        let is_text = !COMMAND_LINES.contains(&field.name) && field.name != UNREAD;
        copy.string_header(start);
        if copy.secrets.learning && string.length != 0 {
            let length = u64::from(string.length);
            let place = (whose, string.buffer, string.buffer.saturating_add(length));
            match (is_text, field.name) {
                (true, _) => copy.secrets.texts.push(place),
                (false, UNREAD) => {}
                (false, _) => copy.secrets.command_line_places.push(place),
            }
        }
        match copy.characters(start) {
            Some(characters) if is_text => copy.text(characters.start, characters.len()),
            Some(characters) if field.name != UNREAD => command_lines.push(characters),
            _ => {}
        }
    }
    // The last, in case that another string is said to stand at the same place.
    for characters in command_lines {
        copy.command_line(characters.start, characters.len());
    }
    true
}

/// The characters of a string that process parameters point to; which one it was, its place tells.
fn string_in_memory(answer: &Answer<'_>, copy: &mut Copy<'_, '_>) -> bool {
    let whose = (answer.source.0, answer.argument, answer.argument2);
    let start = answer.buffer_address;
    let end = start.saturating_add(copy.bytes().len() as u64);
    let overlaps = |place: &super::Place| place.0 == whose && place.1 < end && start < place.2;
    // Of another process, the capture reads nothing but its command line.
    let is_command_line = answer.source == Source::PROCESS_MEMORY
        || copy.secrets.command_line_places.iter().any(overlaps);
    let is_text = copy.secrets.texts.iter().any(overlaps);
    match (is_command_line, is_text) {
        (true, _) => copy.command_line(0, usize::MAX),
        (false, true) => copy.text(0, usize::MAX),
        // While the places are gathered, what it is may not be known yet.
        (false, false) => return false,
    }
    true
}

/// The environment: of each variable stays that it is one.
fn environment(copy: &mut Copy<'_, '_>) {
    if copy.secrets.learning {
        let text = utf16(copy.bytes());
        for variable in text.split('\0').take_while(|variable| !variable.is_empty()) {
            copy.secrets.variables += 1;
            copy.secrets.words.learn_paths(variable);
            if let Some((name, value)) = variable.split_once('=') {
                copy.secrets.words.learn_named(name, value);
            }
        }
    }
    // What stands behind the end of the environment is whatever was in memory.
    let (units, _) = copy.bytes().as_chunks::<2>();
    let ends = units.windows(2).position(|pair| pair == [[0, 0], [0, 0]]);
    let length = ends.unwrap_or(units.len()) * 2;
    match copy.secrets.keep.environment {
        true => copy.text(0, length),
        false => copy.remove_text(0, length, |unit| unit == u16::from(b'=')),
    }
}

/// The first page of an image: what is read of its headers.
fn image(copy: &mut Copy<'_, '_>) -> bool {
    // `IMAGE_DOS_HEADER`: e_magic, e_lfanew.
    const NEW_HEADER: usize = 0x3C;
    // `IMAGE_NT_HEADERS`: Signature, FileHeader, OptionalHeader.
    const FILE_HEADER: usize = 4;
    const OPTIONAL_HEADER: usize = FILE_HEADER + 20;
    const PE32_PLUS: u64 = 0x20B;

    let headers = copy.number(NEW_HEADER, 4) as usize;
    if !copy.bytes().starts_with(b"MZ") || !copy.rest(headers).starts_with(b"PE\0\0") {
        return false;
    }
    copy.numbers(0, 2);
    copy.numbers(NEW_HEADER, 4);
    let optional = headers + OPTIONAL_HEADER;
    let directories = match copy.number(optional, 2) {
        PE32_PLUS => 108,
        _ => 92,
    };
    // Signature, Machine, NumberOfSections; SizeOfOptionalHeader, Characteristics; Magic, Subsystem, NumberOfRvaAndSizes.
    for (offset, length) in [(headers, 8), (headers + FILE_HEADER + 16, 4)] {
        copy.numbers(offset, length);
    }
    for (offset, length) in [(0, 2), (68, 2), (directories, 4)] {
        copy.numbers(optional + offset, length);
    }
    true
}
