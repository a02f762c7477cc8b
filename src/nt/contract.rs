//! What holds for every [`Kernel`]: the same checks run against the simulated one on any host and against the real
//! one on Windows or Wine, which keeps the simulation honest.

use super::access::{
    FILE_CREATE, FILE_OPEN, FILE_OPEN_IF, KEY_ENUMERATE_SUB_KEYS, KEY_QUERY_VALUE,
    PROCESS_QUERY_INFORMATION, PROCESS_QUERY_LIMITED_INFORMATION, SYNCHRONIZE, TOKEN_QUERY,
};
use super::simulated::Machine;
use super::{
    Answer, Buffer, FileRequest, Handle, Heap, Kernel, List, Owned, Region, Row, Status, Task,
};
use bootshot_format::ObjectKind;
use std::sync::atomic::{AtomicBool, Ordering};

/// Makes a test of every check, for each kernel there is.
macro_rules! contract {
    ($($check:ident)*) => {
        mod simulated {
            $(#[test] fn $check() { super::$check(super::machine().start()); })*
        }
        #[cfg(all(windows, feature = "native"))]
        mod real {
            $(#[test] fn $check() { super::$check(crate::nt::real::Nt); })*
        }
    };
}

contract! {
    a_buffer_that_is_too_small_wants_more_room
    nothing_is_written_behind_a_buffer_of_any_length
    an_unknown_class_is_refused
    a_class_of_one_structure_takes_its_size
    process_names_lie_inside_the_answer
    what_is_missing_is_said_to_be_missing
    a_value_is_cut_off_where_the_buffer_ends
    subkeys_are_enumerated_to_their_end
    values_are_enumerated_to_their_end
    a_key_tells_its_flags_or_that_it_cannot
    firmware_is_asked_and_may_refuse
    an_object_directory_is_listed_to_its_end
    a_token_says_who_it_is_for
    a_process_that_does_not_exist_cannot_be_opened
    what_is_no_handle_cannot_be_closed
    a_file_is_created_once
    a_file_goes_from_name_to_name_and_away
    a_directory_and_its_volume_can_be_flushed
    a_file_tells_what_it_is
    a_file_is_read_to_its_end
    a_value_is_not_set_through_a_key_opened_to_be_read
    a_rename_never_replaces
    a_deleted_file_stays_until_its_last_handle_is_closed
    a_directory_is_listed_across_small_buffers
    a_created_directory_has_the_security_it_was_given
    a_volume_tells_its_size
    memory_is_read_where_there_is_some
    committed_memory_is_zero_and_released_memory_is_gone
    lists_grow_and_are_given_back
    a_thread_runs_and_its_end_can_be_waited_for
    time_does_not_go_back
    a_row_is_printed_in_its_columns
    a_privilege_that_does_not_exist_cannot_be_enabled
    an_object_is_opened_below_a_directory_in_its_own_case_and_as_itself_only
    a_link_tells_its_target_to_a_buffer_that_holds_it
    an_object_tells_its_access_and_counts
    a_handle_is_duplicated_with_the_access_it_has_or_less
    an_event_lets_one_wait_through_each_time_it_is_set
    processes_are_iterated_over_where_the_system_can
    a_process_is_in_a_job_or_not
}

/// A small machine with a link, as every real one has.
fn machine() -> Machine {
    let mut machine = Machine::small();
    machine.link(r"\DosDevices", r"\??");
    machine
}

const GUARD: u64 = 0x5AA5_5AA5_5AA5_5AA5;

/// Asks with a buffer of exactly `length` bytes and checks that nothing behind it changed.
fn guarded(length: usize, ask: impl FnOnce(Buffer<'_>) -> Answer) -> (Answer, Vec<u8>) {
    let mut words = vec![GUARD; length / 8 + 4];
    let answer = ask(Buffer::new(&mut words, length));
    let all = Buffer::new(&mut words, usize::MAX).into_bytes();
    let guard = GUARD.to_ne_bytes();
    let intact = (length..all.len()).all(|place| all[place] == guard[place % 8]);
    assert!(
        intact,
        "written behind a buffer of {length} bytes, {answer:x?}"
    );
    (answer, all[..length].to_vec())
}

/// The answer to a question whose length is not known.
fn whole(mut ask: impl FnMut(Buffer<'_>) -> Answer) -> (Status, Vec<u8>, u64) {
    let mut words = vec![0; 0x2_0000];
    let address = words.as_ptr().addr() as u64;
    let answer = ask(Buffer::new(&mut words, usize::MAX));
    let bytes = Buffer::new(&mut words, answer.length).into_bytes().to_vec();
    (answer.status, bytes, address)
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn pointer(bytes: &[u8], offset: usize) -> u64 {
    usize::from_ne_bytes(bytes[offset..][..size_of::<usize>()].try_into().unwrap()) as u64
}

fn dword(bytes: &[u8], offset: usize) -> usize {
    u32::from_ne_bytes(bytes[offset..][..4].try_into().unwrap()) as usize
}

fn characters(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes
        .as_chunks()
        .0
        .iter()
        .map(|pair| u16::from_ne_bytes(*pair))
        .collect();
    String::from_utf16(&units).unwrap()
}

const PROCESSES: u32 = 5;
const MODULES: u32 = 11;
const HANDLES: u32 = 64;

fn a_buffer_that_is_too_small_wants_more_room<K: Kernel>(kernel: K) {
    for class in [PROCESSES, MODULES, HANDLES] {
        for length in [0, 1, 8, 16, 31] {
            let (answer, _) = guarded(length, |buffer| {
                kernel.query_system_information(class, buffer)
            });
            assert!(
                answer.status.wants_more_room(),
                "class {class}, {length} bytes: {answer:x?}"
            );
        }
    }
    let (answer, _) = guarded(8, |buffer| kernel.query_object(Handle::NONE, 3, buffer));
    assert!(answer.status.wants_more_room(), "{answer:x?}");
}

fn nothing_is_written_behind_a_buffer_of_any_length<K: Kernel>(kernel: K) {
    let (status, bytes, _) = whole(|buffer| kernel.query_system_information(PROCESSES, buffer));
    assert_eq!(status, Status::SUCCESS);
    for length in (0..bytes.len() + 0x1000).step_by(37) {
        guarded(length, |buffer| {
            kernel.query_system_information(PROCESSES, buffer)
        });
    }
}

fn an_unknown_class_is_refused<K: Kernel>(kernel: K) {
    const UNKNOWN: u32 = 0x7FFF;
    let refused = [
        Status::INVALID_INFO_CLASS,
        Status::NOT_IMPLEMENTED,
        Status::INVALID_PARAMETER,
    ];
    let (system, _) = guarded(64, |buffer| {
        kernel.query_system_information(UNKNOWN, buffer)
    });
    let (process, _) = guarded(64, |buffer| {
        kernel.query_information_process(Handle::CURRENT_PROCESS, UNKNOWN, buffer)
    });
    for answer in [system, process] {
        assert!(refused.contains(&answer.status), "{answer:x?}");
    }
}

fn a_class_of_one_structure_takes_its_size<K: Kernel>(kernel: K) {
    let size = if size_of::<usize>() == 8 { 48 } else { 24 };
    let ask = |length| {
        guarded(length, |buffer| {
            kernel.query_information_process(Handle::CURRENT_PROCESS, 0, buffer)
        })
    };
    let (answer, basic) = ask(size);
    assert_eq!((answer.status, answer.length), (Status::SUCCESS, size));
    // PEB address and process id.
    assert_ne!(pointer(&basic, size_of::<usize>()), 0);
    assert_ne!(pointer(&basic, if size == 48 { 32 } else { 16 }), 0);
    let (answer, _) = ask(size - 4);
    assert_eq!(answer.status, Status::INFO_LENGTH_MISMATCH);
}

fn process_names_lie_inside_the_answer<K: Kernel>(kernel: K) {
    let (status, bytes, address) =
        whole(|buffer| kernel.query_system_information(PROCESSES, buffer));
    assert_eq!(status, Status::SUCCESS);
    let (mut entry, mut named) = (0, 0);
    loop {
        let length = usize::from(bytes[entry + 0x38]);
        if length != 0 {
            let place = (pointer(&bytes, entry + 0x38 + size_of::<usize>()) - address) as usize;
            assert!(!characters(&bytes[place..place + length]).is_empty());
            named += 1;
        }
        match dword(&bytes, entry) {
            0 => break,
            next => entry += next,
        }
    }
    assert_ne!(named, 0);
}

fn what_is_missing_is_said_to_be_missing<K: Kernel>(kernel: K) {
    let key = kernel.open(
        ObjectKind::KEY,
        Handle::NONE,
        &wide(r"\Registry\Machine\System\bootshot is not here"),
        1,
    );
    assert_eq!(key, Err(Status::OBJECT_NAME_NOT_FOUND));
    let directory = kernel.open(
        ObjectKind::DIRECTORY,
        Handle::NONE,
        &wide(r"\bootshot is not here"),
        1,
    );
    assert_eq!(directory, Err(Status::OBJECT_NAME_NOT_FOUND));
    let scratch = Scratch::new(kernel, "missing");
    assert_eq!(
        scratch.open("missing", FILE_OPEN).err(),
        Some(Status::OBJECT_NAME_NOT_FOUND)
    );
    assert_eq!(
        scratch.open(r"missing\missing", FILE_OPEN).err(),
        Some(Status::new(0xC000_003A))
    );
}

fn a_value_is_cut_off_where_the_buffer_ends<K: Kernel>(kernel: K) {
    const PARTIAL: u32 = 2;
    let path = wide(r"\Registry\Machine\System\CurrentControlSet\Control\ProductOptions");
    let key = Owned::new(
        kernel,
        kernel
            .open(ObjectKind::KEY, Handle::NONE, &path, 1)
            .unwrap(),
    );
    let name = wide("ProductType");
    let ask = |length| {
        guarded(length, |buffer| {
            kernel.query_value_key(key.get(), &name, PARTIAL, buffer)
        })
    };
    let (answer, bytes) = ask(256);
    assert_eq!(answer.status, Status::SUCCESS);
    // TitleIndex, Type (REG_SZ), DataLength, Data.
    assert_eq!(
        (dword(&bytes, 4), dword(&bytes, 8) + 12),
        (1, answer.length)
    );
    let (short, cut) = ask(14);
    assert_eq!(
        (short.status, short.length),
        (Status::BUFFER_OVERFLOW, answer.length)
    );
    assert_eq!(cut[4..], bytes[4..14]);
    let (shorter, _) = ask(8);
    assert_eq!(
        (shorter.status, shorter.length),
        (Status::BUFFER_TOO_SMALL, answer.length)
    );
    let missing = wide("bootshot is not here");
    let (answer, _) = guarded(64, |buffer| {
        kernel.query_value_key(key.get(), &missing, PARTIAL, buffer)
    });
    assert_eq!(answer.status, Status::OBJECT_NAME_NOT_FOUND);
}

fn open_key<K: Kernel>(kernel: K, path: &str, access: u32) -> Owned<K> {
    let key = kernel.open(ObjectKind::KEY, Handle::NONE, &wide(path), access);
    Owned::new(kernel, key.unwrap())
}

/// All answers of an enumeration, whose structure ends with a name that begins at `fixed`.
fn enumerated(fixed: usize, ask: impl Fn(u32, Buffer<'_>) -> Answer) -> Vec<Vec<u8>> {
    let mut answers = Vec::new();
    for index in 0.. {
        let (answer, bytes) = guarded(0x1_0000, |buffer| ask(index, buffer));
        if answer.status == Status::NO_MORE_ENTRIES {
            break;
        }
        assert_eq!(answer.status, Status::SUCCESS);
        let (short, cut) = guarded(fixed + 2, |buffer| ask(index, buffer));
        assert_eq!(
            (short.status, short.length),
            (Status::BUFFER_OVERFLOW, answer.length)
        );
        // The first character of the name; Wine gives the length of the part, Windows that of the whole.
        assert_eq!(cut[fixed..], bytes[fixed..fixed + 2]);
        // Windows says "too small" to less than the fields, Wine not of every structure.
        let (shorter, _) = guarded(fixed - 8, |buffer| ask(index, buffer));
        assert!(shorter.status.wants_more_room(), "{shorter:x?}");
        assert_eq!(shorter.length, answer.length);
        answers.push(bytes[..answer.length].to_vec());
    }
    answers
}

fn subkeys_are_enumerated_to_their_end<K: Kernel>(kernel: K) {
    const BASIC: u32 = 0;
    let path = r"\Registry\Machine\System\CurrentControlSet\Control";
    let key = open_key(kernel, path, KEY_ENUMERATE_SUB_KEYS);
    // LastWriteTime, TitleIndex, NameLength, Name.
    let answers = enumerated(16, |index, buffer| {
        kernel.enumerate_key(key.get(), index, BASIC, buffer)
    });
    let names: Vec<_> = answers
        .iter()
        .map(|bytes| {
            assert_eq!(bytes.len(), 16 + dword(bytes, 12));
            characters(&bytes[16..])
        })
        .collect();
    assert!(names.contains(&"ProductOptions".into()), "{names:?}");
    let key = open_key(kernel, path, KEY_QUERY_VALUE);
    let (answer, _) = guarded(64, |buffer| {
        kernel.enumerate_key(key.get(), 0, BASIC, buffer)
    });
    assert_eq!(answer.status, Status::ACCESS_DENIED);
}

fn values_are_enumerated_to_their_end<K: Kernel>(kernel: K) {
    const FULL: u32 = 1;
    let path = r"\Registry\Machine\System\CurrentControlSet\Control\ProductOptions";
    let key = open_key(kernel, path, KEY_QUERY_VALUE);
    // TitleIndex, Type, DataOffset, DataLength, NameLength, Name.
    let answers = enumerated(20, |index, buffer| {
        kernel.enumerate_value_key(key.get(), index, FULL, buffer)
    });
    let product = answers
        .iter()
        .find(|bytes| characters(&bytes[20..20 + dword(bytes, 16)]) == "ProductType")
        .unwrap();
    let (offset, length) = (dword(product, 8), dword(product, 12));
    assert_eq!((dword(product, 4), product.len()), (1, offset + length));
    assert!(offset >= 20 + dword(product, 16));
    assert!(characters(&product[offset..]).ends_with("NT\0"));
    let key = open_key(kernel, path, KEY_ENUMERATE_SUB_KEYS);
    let (answer, _) = guarded(64, |buffer| {
        kernel.enumerate_value_key(key.get(), 0, FULL, buffer)
    });
    assert_eq!(answer.status, Status::ACCESS_DENIED);
}

fn a_key_tells_its_flags_or_that_it_cannot<K: Kernel>(kernel: K) {
    const FLAGS: u32 = 5;
    let path = r"\Registry\Machine\System\CurrentControlSet\Control";
    let key = open_key(kernel, path, KEY_QUERY_VALUE);
    let (answer, bytes) = guarded(64, |buffer| kernel.query_key(key.get(), FLAGS, buffer));
    match answer.status {
        Status::SUCCESS => assert_eq!((answer.length, dword(&bytes, 4)), (12, 0)),
        // Wine does not know the class.
        status => assert_eq!(status, Status::INVALID_PARAMETER),
    }
}

fn firmware_is_asked_and_may_refuse<K: Kernel>(kernel: K) {
    const TABLES: u32 = 76;
    const NAMES_AND_VALUES: u32 = 2;
    let (answer, _) = guarded(64, |mut buffer| {
        // Provider ACPI, action 1, table "none", 48 bytes for it.
        buffer.put(&[0x0000_0001_4143_5049, 0x0000_0030_656E_6F6E]);
        kernel.query_system_information(TABLES, buffer)
    });
    assert!(!answer.status.is_success(), "{answer:x?}");
    let (answer, _) = guarded(64, |buffer| {
        kernel.enumerate_system_environment_values(NAMES_AND_VALUES, buffer)
    });
    // Not there, not allowed, or larger than that.
    assert!(!answer.status.is_success(), "{answer:x?}");
}

fn an_object_directory_is_listed_to_its_end<K: Kernel>(kernel: K) {
    let root = Owned::new(
        kernel,
        kernel
            .open(ObjectKind::DIRECTORY, Handle::NONE, &wide(r"\"), 1)
            .unwrap(),
    );
    let (mut context, mut names) = (0, Vec::new());
    loop {
        let before = context;
        let (status, bytes, address) = whole(|buffer| {
            kernel.query_directory_object(root.get(), true, before == 0, &mut context, buffer)
        });
        if status == Status::NO_MORE_ENTRIES {
            break;
        }
        assert_eq!((status, context), (Status::SUCCESS, before + 1));
        let place = (pointer(&bytes, size_of::<usize>()) - address) as usize;
        names.push(characters(&bytes[place..place + usize::from(bytes[0])]));
    }
    assert!(
        names
            .iter()
            .any(|name| name.eq_ignore_ascii_case("ObjectTypes")),
        "{names:?}"
    );
    let (answer, _) = guarded(8, |buffer| {
        kernel.query_directory_object(root.get(), true, true, &mut context, buffer)
    });
    assert!(answer.status.wants_more_room(), "{answer:x?}");
}

fn a_token_says_who_it_is_for<K: Kernel>(kernel: K) {
    const USER: u32 = 1;
    let token = kernel
        .open_process_token(Handle::CURRENT_PROCESS, TOKEN_QUERY)
        .unwrap();
    let token = Owned::new(kernel, token);
    let (answer, _) = guarded(4, |buffer| {
        kernel.query_information_token(token.get(), USER, buffer)
    });
    assert_eq!(answer.status, Status::BUFFER_TOO_SMALL);
    let needed = answer.length;
    let (status, bytes, address) =
        whole(|buffer| kernel.query_information_token(token.get(), USER, buffer));
    assert_eq!((status, bytes.len()), (Status::SUCCESS, needed));
    let sid = (pointer(&bytes, 0) - address) as usize;
    // Revision 1, as many sub-authorities as fill the answer.
    assert_eq!(
        (bytes[sid], sid + 8 + 4 * usize::from(bytes[sid + 1])),
        (1, bytes.len())
    );
}

fn a_process_that_does_not_exist_cannot_be_opened<K: Kernel>(kernel: K) {
    // An id is a multiple of four.
    assert_eq!(
        kernel.open_process(0x7FFF_FFF1, PROCESS_QUERY_INFORMATION),
        Err(Status::new(0xC000_000B))
    );
}

fn what_is_no_handle_cannot_be_closed<K: Kernel>(kernel: K) {
    let root = kernel
        .open(ObjectKind::DIRECTORY, Handle::NONE, &wide(r"\"), 1)
        .unwrap();
    assert_eq!(kernel.close(root), Status::SUCCESS);
    // Not the same handle again: other tests may have got its number.
    assert!(!kernel.close(Handle(0xDEAD_BEE0)).is_success());
}

/// List and add, delete, read the security descriptor, wait.
const DIRECTORY_ACCESS: u32 = 0x0013_0003;
/// Write, delete, wait.
const FILE_ACCESS: u32 = 0x0011_0002;
const SHARED: u32 = 7;

/// A directory of its own on the system's disk, gone when dropped.
struct Scratch<K: Kernel> {
    kernel: K,
    path: Vec<u16>,
    directory: Owned<K>,
}

fn open_directory<K: Kernel>(kernel: K, path: &[u16], disposition: u32) -> Owned<K> {
    let request = FileRequest {
        directory: Handle::NONE,
        name: path,
        access: DIRECTORY_ACCESS,
        share: SHARED,
        disposition,
        options: 0x21,
        security: Some(&SECURITY),
    };
    Owned::new(kernel, kernel.create_file(&request).unwrap())
}

impl<K: Kernel> Scratch<K> {
    fn new(kernel: K, purpose: &str) -> Self {
        // Never used before, by a run that was cut off either.
        let (now, _) = kernel.performance_counter();
        let path = format!(r"\??\C:\bootshot-contract-{now}-{purpose}");
        let path = wide(&path);
        let directory = open_directory(kernel, &path, FILE_CREATE);
        Self {
            kernel,
            path,
            directory,
        }
    }

    fn open(&self, name: &str, disposition: u32) -> Result<Owned<K>, Status> {
        let request = FileRequest {
            directory: self.directory.get(),
            name: &wide(name),
            access: FILE_ACCESS,
            share: SHARED,
            disposition,
            options: 0x60,
            security: None,
        };
        self.kernel
            .create_file(&request)
            .map(|handle| Owned::new(self.kernel, handle))
    }

    fn rename(&self, file: &Owned<K>, name: &str) -> Status {
        self.kernel
            .rename_file(file.get(), self.directory.get(), &wide(name))
    }

    /// The names in it, through buffers of `room` bytes. A handle that has listed a directory before gives on Wine what
    /// it gave then.
    fn names(&self, room: usize) -> Vec<String> {
        let directory = open_directory(self.kernel, &self.path, FILE_OPEN);
        let (mut names, mut restart) = (Vec::new(), true);
        loop {
            let (answer, bytes) = guarded(room, |buffer| {
                self.kernel
                    .query_directory_file(directory.get(), restart, buffer)
            });
            if answer.status == Status::NO_MORE_FILES {
                names.sort();
                return names;
            }
            assert_eq!(answer.status, Status::SUCCESS);
            assert!(answer.length <= room);
            let mut entry = 0;
            loop {
                // NextEntryOffset, FileIndex, FileNameLength, FileName.
                let name = characters(&bytes[entry + 12..][..dword(&bytes, entry + 8)]);
                if !matches!(name.as_str(), "." | "..") {
                    names.push(name);
                }
                match dword(&bytes, entry) {
                    0 => break,
                    next => entry += next,
                }
            }
            restart = false;
        }
    }
}

impl<K: Kernel> Drop for Scratch<K> {
    fn drop(&mut self) {
        for name in self.names(0x1000) {
            if let Ok(file) = self.open(&name, FILE_OPEN) {
                self.kernel.delete_file(file.get());
            }
        }
        self.kernel.delete_file(self.directory.get());
    }
}

fn a_file_is_created_once<K: Kernel>(kernel: K) {
    let scratch = Scratch::new(kernel, "once");
    drop(scratch.open("once", FILE_CREATE).unwrap());
    assert_eq!(
        scratch.open("once", FILE_CREATE).err(),
        Some(Status::OBJECT_NAME_COLLISION)
    );
    assert_eq!(
        scratch.open("ONCE", FILE_CREATE).err(),
        Some(Status::OBJECT_NAME_COLLISION)
    );
    assert!(scratch.open("once", FILE_OPEN_IF).is_ok());
    assert_eq!(scratch.names(0x1000), ["once"]);
}

fn a_file_goes_from_name_to_name_and_away<K: Kernel>(kernel: K) {
    let scratch = Scratch::new(kernel, "round-trip");
    let file = scratch.open("first", FILE_CREATE).unwrap();
    for part in [&b"some"[..], b"thing"] {
        let written = Answer {
            status: Status::SUCCESS,
            length: part.len(),
        };
        assert_eq!(kernel.write_file(file.get(), part), written);
    }
    assert_eq!(kernel.flush_buffers_file(file.get()), Status::SUCCESS);
    assert_eq!(scratch.names(0x1000), ["first"]);
    assert_eq!(scratch.rename(&file, "second"), Status::SUCCESS);
    assert_eq!(scratch.names(0x1000), ["second"]);
    assert_eq!(kernel.delete_file(file.get()), Status::SUCCESS);
    drop(file);
    assert_eq!(scratch.names(0x1000), [""; 0]);
}

fn a_directory_and_its_volume_can_be_flushed<K: Kernel>(kernel: K) {
    let scratch = Scratch::new(kernel, "flush");
    drop(scratch.open("new", FILE_CREATE).unwrap());
    let flushed = kernel.flush_buffers_file(scratch.directory.get());
    assert_eq!(flushed, Status::SUCCESS);
    let volume = kernel.create_file(&FileRequest {
        directory: Handle::NONE,
        name: &wide(r"\??\C:"),
        access: 0x0010_0002,
        share: SHARED,
        disposition: FILE_OPEN,
        options: 0x20,
        security: None,
    });
    let volume = Owned::new(kernel, volume.unwrap());
    let flushed = kernel.flush_buffers_file(volume.get());
    // STATUS_INVALID_DEVICE_REQUEST on Wine, whose volumes have nothing to flush.
    assert!(matches!(flushed.number(), 0 | 0xC000_0010), "{flushed:x?}");
}

fn a_file_tells_what_it_is<K: Kernel>(kernel: K) {
    const BASIC: u32 = 4;
    const STANDARD: u32 = 5;
    let scratch = Scratch::new(kernel, "attributes");
    let directory = scratch.directory.get();
    let (answer, basic) = guarded(40, |buffer| {
        kernel.query_information_file(directory, BASIC, buffer)
    });
    assert_eq!((answer.status, answer.length), (Status::SUCCESS, 40));
    // FILE_ATTRIBUTE_DIRECTORY, and not FILE_ATTRIBUTE_REPARSE_POINT.
    assert_eq!(dword(&basic, 32) & 0x410, 0x10);
    let (answer, _) = guarded(36, |buffer| {
        kernel.query_information_file(directory, BASIC, buffer)
    });
    assert!(!answer.status.is_success(), "{answer:x?}");
    let file = scratch.open("file", FILE_CREATE).unwrap();
    assert!(
        kernel
            .write_file(file.get(), b"seven..")
            .status
            .is_success()
    );
    let (answer, standard) = guarded(24, |buffer| {
        kernel.query_information_file(file.get(), STANDARD, buffer)
    });
    assert_eq!(answer.status, Status::SUCCESS);
    // EndOfFile; Directory.
    assert_eq!((dword(&standard, 8), standard[21]), (7, 0));
    let (answer, basic) = guarded(40, |buffer| {
        kernel.query_information_file(file.get(), BASIC, buffer)
    });
    assert_eq!((answer.status, answer.length), (Status::SUCCESS, 40));
    // CreationTime; FileAttributes without FILE_ATTRIBUTE_DIRECTORY.
    assert_ne!(dword(&basic, 4), 0);
    assert_eq!(dword(&basic, 32) & 0x10, 0);
}

fn a_file_is_read_to_its_end<K: Kernel>(kernel: K) {
    let scratch = Scratch::new(kernel, "read");
    let written = scratch.open("file", FILE_CREATE).unwrap();
    let status = kernel.write_file(written.get(), b"eleven char").status;
    assert_eq!(status, Status::SUCCESS);
    let read = |file: &Owned<K>| {
        let (answer, bytes) = guarded(8, |buffer| kernel.read_file(file.get(), buffer));
        (answer.status, bytes[..answer.length].to_vec())
    };
    assert_eq!(read(&written).0, Status::ACCESS_DENIED);
    let file = kernel.create_file(&FileRequest {
        directory: scratch.directory.get(),
        name: &wide("file"),
        access: 0x0010_0001,
        share: SHARED,
        disposition: FILE_OPEN,
        options: 0x60,
        security: None,
    });
    let file = Owned::new(kernel, file.unwrap());
    assert_eq!(read(&file), (Status::SUCCESS, b"eleven c".to_vec()));
    assert_eq!(read(&file), (Status::SUCCESS, b"har".to_vec()));
    // STATUS_END_OF_FILE.
    assert_eq!(read(&file), (Status::new(0xC000_0011), Vec::new()));
}

fn a_value_is_not_set_through_a_key_opened_to_be_read<K: Kernel>(kernel: K) {
    const REG_DWORD: u32 = 4;
    let path = wide(r"\Registry\Machine\System\CurrentControlSet\Control\ProductOptions");
    let key = Owned::new(
        kernel,
        kernel
            .open(ObjectKind::KEY, Handle::NONE, &path, KEY_QUERY_VALUE)
            .unwrap(),
    );
    let set = kernel.set_value_key(key.get(), &wide("bootshot"), REG_DWORD, &[0; 4]);
    assert_eq!(set, Status::ACCESS_DENIED);
}

fn a_rename_never_replaces<K: Kernel>(kernel: K) {
    let scratch = Scratch::new(kernel, "rename");
    drop(scratch.open("there", FILE_CREATE).unwrap());
    let file = scratch.open("other", FILE_CREATE).unwrap();
    assert_eq!(
        scratch.rename(&file, "there"),
        Status::OBJECT_NAME_COLLISION
    );
    drop(file);
    assert_eq!(scratch.names(0x1000), ["other", "there"]);
}

fn a_deleted_file_stays_until_its_last_handle_is_closed<K: Kernel>(kernel: K) {
    let scratch = Scratch::new(kernel, "delete");
    let (first, second) = (
        scratch.open("file", FILE_CREATE).unwrap(),
        scratch.open("file", FILE_OPEN).unwrap(),
    );
    assert_eq!(kernel.delete_file(first.get()), Status::SUCCESS);
    drop(first);
    assert!(
        kernel
            .write_file(second.get(), b"still here")
            .status
            .is_success()
    );
    drop(second);
    assert_eq!(scratch.names(0x1000), [""; 0]);
}

fn a_directory_is_listed_across_small_buffers<K: Kernel>(kernel: K) {
    let scratch = Scratch::new(kernel, "list");
    let names: Vec<String> = (10..40)
        .map(|number| format!("a file of number {number}"))
        .collect();
    for name in &names {
        drop(scratch.open(name, FILE_CREATE).unwrap());
    }
    for room in [64, 100, 0x1000] {
        assert_eq!(scratch.names(room), names, "{room} bytes");
    }
}

/// `O:BAG:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;WD)`: the caller of the tests must be able to delete it again.
static SECURITY: [u32; 31] = [
    0x9004_0001,
    20,
    36,
    0,
    52,
    // Owner and group: S-1-5-32-544.
    0x0201,
    0x0500_0000,
    32,
    544,
    0x0201,
    0x0500_0000,
    32,
    544,
    // ACL of revision 2, 72 bytes, 3 entries: allow FILE_ALL_ACCESS to S-1-5-18, S-1-5-32-544, S-1-1-0.
    0x0048_0002,
    3,
    0x0014_0000,
    0x001F_01FF,
    0x0101,
    0x0500_0000,
    18,
    0x0018_0000,
    0x001F_01FF,
    0x0201,
    0x0500_0000,
    32,
    544,
    0x0014_0000,
    0x001F_01FF,
    0x0101,
    0x0100_0000,
    0,
];

fn a_created_directory_has_the_security_it_was_given<K: Kernel>(kernel: K) {
    const DACL: u32 = 4;
    let scratch = Scratch::new(kernel, "security");
    let ask = |length| {
        guarded(length, |buffer| {
            kernel.query_security_object(scratch.directory.get(), DACL, buffer)
        })
    };
    let (answer, bytes) = ask(0x400);
    assert_eq!(answer.status, Status::SUCCESS);
    // SE_SELF_RELATIVE and SE_DACL_PRESENT.
    assert_eq!((bytes[0], bytes[2] & 4, bytes[3] & 0x80), (1, 4, 0x80));
    // Wine keeps permission bits instead: of the entries only the first, for SYSTEM, is always the one given.
    let dacl = dword(&bytes, 16);
    let system: Vec<u8> = SECURITY[16..20]
        .iter()
        .flat_map(|word| word.to_ne_bytes())
        .collect();
    assert_eq!(dword(&bytes, dacl + 4), 3);
    assert_eq!(bytes[dacl + 12..][..system.len()], system);
    let (short, _) = ask(8);
    assert_eq!(
        (short.status, short.length),
        (Status::BUFFER_TOO_SMALL, answer.length)
    );
}

fn a_volume_tells_its_size<K: Kernel>(kernel: K) {
    const SIZE: u32 = 3;
    const ATTRIBUTES: u32 = 5;
    let scratch = Scratch::new(kernel, "volume");
    let ask = |class, length| {
        guarded(length, |buffer| {
            kernel.query_volume_information_file(scratch.directory.get(), class, buffer)
        })
    };
    let (answer, bytes) = ask(SIZE, 24);
    assert_eq!((answer.status, answer.length), (Status::SUCCESS, 24));
    // Units available, sectors in a unit, bytes in a sector.
    let (available, sectors, sector) = (dword(&bytes, 8), dword(&bytes, 16), dword(&bytes, 20));
    assert!(available > 0 && sectors.is_power_of_two() && sector.is_power_of_two());
    assert!(!ask(SIZE, 16).0.status.is_success());
    let (answer, bytes) = ask(ATTRIBUTES, 64);
    assert_eq!(answer.status, Status::SUCCESS);
    assert!(!characters(&bytes[12..12 + dword(&bytes, 8)]).is_empty());
}

fn memory_is_read_where_there_is_some<K: Kernel>(kernel: K) {
    let mut region = Region::new(kernel, 0x1000).unwrap();
    region.bytes_mut()[0xFF0..].copy_from_slice(b"sixteen bytes...");
    let end = region.address() as u64 + 0xFF0;
    let mut bytes = [0; 16];
    let answer = kernel.read_virtual_memory(Handle::CURRENT_PROCESS, end, &mut bytes);
    assert_eq!(
        answer,
        Answer {
            status: Status::SUCCESS,
            length: 16
        }
    );
    assert_eq!(&bytes, b"sixteen bytes...");
    for nowhere in [0, 8, 0x1001] {
        let answer = kernel.read_virtual_memory(Handle::CURRENT_PROCESS, nowhere, &mut bytes);
        assert!(!answer.status.is_success(), "{nowhere:#x}: {answer:x?}");
    }
}

fn committed_memory_is_zero_and_released_memory_is_gone<K: Kernel>(kernel: K) {
    let mut region = Region::new(kernel, 0x1_0001).unwrap();
    assert!(region.length() > 0x1_0000);
    assert!(region.bytes().iter().all(|byte| *byte == 0));
    region.bytes_mut().fill(0xFF);
    let address = region.address();
    assert!(kernel.commit_memory(address, region.length()).is_success());
    assert!(
        region.bytes().iter().all(|byte| *byte == 0xFF),
        "a commit cleared committed memory"
    );
    drop(region);
    let reserved = kernel.reserve_memory(0x2000).unwrap();
    // SAFETY: nothing uses the range.
    unsafe { kernel.release_memory(reserved) };
    assert!(!kernel.commit_memory(reserved, 0x1000).is_success());
}

fn lists_grow_and_are_given_back<K: Kernel>(kernel: K) {
    let heap = Heap::new(kernel, 1 << 20);
    for _ in 0..4 {
        let (mut numbers, mut bytes) = (List::new(&heap), List::new(&heap));
        for number in 0..10_000u64 {
            numbers.push(number).unwrap();
            bytes.push(number as u8).unwrap();
        }
        assert!(numbers.iter().copied().eq(0..10_000));
        assert!(
            bytes
                .iter()
                .copied()
                .eq((0..10_000).map(|number| number as u8))
        );
    }
}

/// A task that runs until it is told to end, and says that it ran.
#[derive(Default)]
struct Until {
    told: AtomicBool,
    ran: AtomicBool,
}

impl<K: Kernel> Task<K> for Until {
    fn run(&'static self, kernel: K) {
        while !self.told.load(Ordering::Acquire) {
            kernel.delay(1);
        }
        self.ran.store(true, Ordering::Release);
    }
}

fn a_thread_runs_and_its_end_can_be_waited_for<K: Kernel>(kernel: K) {
    let task: &'static Until = Box::leak(Box::default());
    let thread = Owned::new(kernel, kernel.start_thread(task).unwrap());
    assert_eq!(kernel.wait(thread.get(), Some(20)), Status::TIMEOUT);
    assert!(!task.ran.load(Ordering::Acquire));
    task.told.store(true, Ordering::Release);
    assert_eq!(kernel.wait(thread.get(), Some(60_000)), Status::SUCCESS);
    assert!(task.ran.load(Ordering::Acquire));
    assert_eq!(kernel.wait(thread.get(), None), Status::SUCCESS);
    assert!(!kernel.wait(Handle(0xDEAD_BEE0), Some(1)).is_success());
}

fn time_does_not_go_back<K: Kernel>(kernel: K) {
    /// 2020-01-01 UTC.
    const EARLIEST: i64 = 132_223_104_000_000_000;
    let (start, frequency) = kernel.performance_counter();
    let clock = kernel.clock();
    assert!(frequency >= 1000 && clock.system_time > EARLIEST && clock.interrupt_time > 0);
    let mut last = start;
    for _ in 0..1000 {
        let (now, same) = kernel.performance_counter();
        assert!(now >= last && same == frequency);
        last = now;
    }
    kernel.delay(50);
    let passed = (kernel.performance_counter().0 - start) * 1000 / frequency;
    assert!((40..60_000).contains(&passed), "{passed} ms for 50");
    let later = kernel.clock();
    assert!(later.interrupt_time > clock.interrupt_time && later.system_time > clock.system_time);
}

fn a_row_is_printed_in_its_columns<K: Kernel>(kernel: K) {
    let print = |name: &'static str, numbers: [u32; 4]| {
        let [asked, answered, kibibytes, milliseconds] = numbers;
        let row = Row {
            name,
            asked,
            answered,
            kibibytes,
            milliseconds,
        };
        let mut to = [0; 256];
        let length = kernel.format_row(&row, &mut to);
        String::from_utf8(to[..length].to_vec()).unwrap()
    };
    assert_eq!(
        print("processes", [3, 2, 117, 12]),
        "  processes      2 of 3 answered       117 KiB      12 ms"
    );
    assert_eq!(
        print("a name beyond it", [u32::MAX; 4]),
        "  a name beyond it 4294967295 of 4294967295 answered 4294967295 KiB 4294967295 ms"
    );
    let row = Row {
        name: "own",
        asked: 1,
        answered: 1,
        kibibytes: 1,
        milliseconds: 1,
    };
    assert_eq!(kernel.format_row(&row, &mut [0; 40]), 0);
}

fn a_privilege_that_does_not_exist_cannot_be_enabled<K: Kernel>(kernel: K) {
    assert!(!kernel.enable_privilege(63).is_success());
    assert!(kernel.set_hard_error_mode(0x8002).is_success());
}

const MEMORY_CONDITION: &str = r"KernelObjects\LowMemoryCondition";

fn root<K: Kernel>(kernel: K) -> Owned<K> {
    let root = kernel.open(ObjectKind::DIRECTORY, Handle::NONE, &wide(r"\"), 1);
    Owned::new(kernel, root.unwrap())
}

fn an_object_is_opened_below_a_directory_in_its_own_case_and_as_itself_only<K: Kernel>(kernel: K) {
    let root = root(kernel);
    let open = |kind: ObjectKind, name: &str| {
        let opened = kernel.open(kind, root.get(), &wide(name), 1);
        opened.map(|handle| Owned::new(kernel, handle)).map(drop)
    };
    assert_eq!(open(ObjectKind::EVENT, MEMORY_CONDITION), Ok(()));
    let mismatch = Err(Status::new(0xC000_0024));
    for kind in [ObjectKind::SECTION, ObjectKind::MUTANT, ObjectKind::JOB] {
        assert_eq!(open(kind, MEMORY_CONDITION), mismatch, "{kind:?}");
    }
    assert!(open(ObjectKind::EVENT, &MEMORY_CONDITION.to_uppercase()).is_err());
    assert!(open(ObjectKind::EVENT, r"\KernelObjects\LowMemoryCondition").is_err());
}

fn a_link_tells_its_target_to_a_buffer_that_holds_it<K: Kernel>(kernel: K) {
    let root = root(kernel);
    let link = kernel.open(
        ObjectKind::SYMBOLIC_LINK,
        root.get(),
        &wide("DosDevices"),
        1,
    );
    let link = Owned::new(kernel, link.unwrap());
    let ask = |length| {
        guarded(length, |buffer| {
            kernel.query_symbolic_link_object(link.get(), buffer)
        })
    };
    let (answer, target) = ask(64);
    assert_eq!(answer.status, Status::SUCCESS);
    assert_eq!(characters(&target[..answer.length]), r"\??");
    let (short, _) = ask(2);
    assert_eq!(short.status, Status::BUFFER_TOO_SMALL);
}

fn an_object_tells_its_access_and_counts<K: Kernel>(kernel: K) {
    let root = root(kernel);
    let (answer, basic) = guarded(56, |buffer| kernel.query_object(root.get(), 0, buffer));
    assert_eq!((answer.status, answer.length), (Status::SUCCESS, 56));
    // GrantedAccess; HandleCount and PointerCount.
    assert_eq!(dword(&basic, 4) & 1, 1);
    assert!(dword(&basic, 8) >= 1 && dword(&basic, 12) >= 1);
}

fn a_handle_is_duplicated_with_the_access_it_has_or_less<K: Kernel>(kernel: K) {
    let root = root(kernel);
    let value = root.get().0 as u64;
    let same = kernel.duplicate(Handle::CURRENT_PROCESS, value, None);
    let same = Owned::new(kernel, same.unwrap());
    assert_ne!(same.get(), root.get());
    let granted = |handle: &Owned<K>| {
        let (_, basic) = guarded(56, |buffer| kernel.query_object(handle.get(), 0, buffer));
        dword(&basic, 4)
    };
    assert_eq!(granted(&same), granted(&root));
    let none = kernel.duplicate(Handle::CURRENT_PROCESS, value, Some(0));
    assert_eq!(granted(&Owned::new(kernel, none.unwrap())), 0);
    let nothing = kernel.duplicate(Handle::CURRENT_PROCESS, 0xDEAD_BEE0, None);
    assert_eq!(nothing, Err(Status::new(0xC000_0008)));
}

fn an_event_lets_one_wait_through_each_time_it_is_set<K: Kernel>(kernel: K) {
    let event = Owned::new(kernel, kernel.create_event().unwrap());
    let wait = || kernel.wait(event.get(), Some(0));
    assert_eq!(wait(), Status::TIMEOUT);
    for _ in 0..2 {
        assert_eq!(kernel.set_event(event.get()), Status::SUCCESS);
        assert_eq!((wait(), wait()), (Status::SUCCESS, Status::TIMEOUT));
    }
}

fn processes_are_iterated_over_where_the_system_can<K: Kernel>(kernel: K) {
    let id_of = |process| {
        let size = if size_of::<usize>() == 8 { 48 } else { 24 };
        let (_, basic) = guarded(size, |buffer| {
            kernel.query_information_process(process, 0, buffer)
        });
        pointer(&basic, if size == 48 { 32 } else { 16 })
    };
    let own = id_of(Handle::CURRENT_PROCESS);
    let (mut found, mut latest) = (0, None);
    loop {
        let handle = latest.as_ref().map_or(Handle::NONE, Owned::get);
        match kernel.next_process(handle, PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE) {
            Ok(handle) => {
                found += usize::from(id_of(handle) == own);
                latest = Some(Owned::new(kernel, handle));
            }
            // Wine 8 has no such call.
            Err(Status::PROCEDURE_NOT_FOUND) if latest.is_none() => return,
            Err(status) => break assert_eq!(status, Status::NO_MORE_ENTRIES),
        }
    }
    assert_eq!(found, 1);
}

fn a_process_is_in_a_job_or_not<K: Kernel>(kernel: K) {
    const ACCOUNTING: u32 = 1;
    let (answer, _) = guarded(48, |buffer| {
        kernel.query_information_job_object(Handle::NONE, ACCOUNTING, buffer)
    });
    // STATUS_PROCESS_NOT_IN_JOB, STATUS_PROCESS_IN_JOB.
    match kernel.is_process_in_job(Handle::CURRENT_PROCESS).number() {
        // STATUS_ACCESS_DENIED; STATUS_INVALID_HANDLE on Wine.
        0x123 => assert!(!answer.status.is_success(), "{answer:x?}"),
        0x124 => assert_eq!((answer.status, answer.length), (Status::SUCCESS, 48)),
        status => panic!("{status:#x}"),
    }
}
