//! The decoders of classes that the recorded boots did not answer, over answers laid out by hand from the offsets in
//! the System Informer headers.

use bootshot_reader::decode::{self, Buffer, ModuleClass, PageFileClass, ProcessClass};
use bootshot_reader::layout::PointerWidth::{self, Bits32, Bits64};
use bootshot_reader::layout::structures::{
    PROCESS_TELEMETRY_ID_INFORMATION as TelemetryId, RTL_PROCESS_MODULE_INFORMATION as Module,
    RTL_PROCESS_MODULE_INFORMATION_EX as ModuleEx, SYSTEM_EXTENDED_THREAD_INFORMATION as Thread,
    SYSTEM_PAGEFILE_INFORMATION as PageFile, SYSTEM_PAGEFILE_INFORMATION_EX as PageFileEx,
    SYSTEM_PROCESS_INFORMATION_EXTENSION as Extension,
};

const ADDRESS: u64 = 0x7A_0000;

/// Bytes that are filled in place by place.
struct Layout(Vec<u8>, PointerWidth);

impl Layout {
    fn new(width: PointerWidth, length: usize) -> Self {
        Self(vec![0; length], width)
    }

    fn bytes(&mut self, offset: usize, bytes: &[u8]) -> &mut Self {
        self.0[offset..offset + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn number(&mut self, offset: usize, value: u32) -> &mut Self {
        self.bytes(offset, &value.to_le_bytes())
    }

    fn pointer(&mut self, offset: usize, value: u64) -> &mut Self {
        let bytes = value.to_le_bytes();
        self.bytes(offset, &bytes[..self.1.bytes()])
    }

    /// A `UNICODE_STRING` at `offset` whose characters stand at `place`.
    fn string(&mut self, offset: usize, place: usize, text: &str) -> &mut Self {
        let characters: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = (characters.len() as u16).to_le_bytes();
        let pointer = offset + self.1.bytes();
        self.bytes(offset, &length)
            .bytes(offset + 2, &length)
            .pointer(pointer, ADDRESS + place as u64)
            .bytes(place, &characters)
    }

    fn buffer(&self) -> Buffer<'_> {
        Buffer::new(&self.0, ADDRESS, self.1)
    }
}

/// `S-1-5-18`.
const LOCAL_SYSTEM: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];

#[test]
fn extended_threads_have_their_own_size_and_win32_start_address() {
    for (width, header, thread, win32_start) in
        [(Bits32, 0xB8, 0x60, 0x48), (Bits64, 0x100, 0x88, 0x60)]
    {
        let mut answer = Layout::new(width, header + 2 * thread);
        answer.number(4, 2);
        for index in 0..2 {
            answer.pointer(
                header + index * thread + win32_start,
                0x1_0000 + index as u64,
            );
        }
        let mut problems = Vec::new();
        let processes = decode::processes(&answer.buffer(), ProcessClass::Extended, &mut problems);
        assert_eq!(problems, []);
        let starts: Vec<_> = processes[0]
            .threads
            .iter()
            .map(|entry| {
                entry
                    .extended
                    .unwrap()
                    .get(Thread::Win32StartAddress)
                    .unwrap()
            })
            .collect();
        assert_eq!(starts, [0x1_0000, 0x1_0001]);
    }
}

#[test]
fn the_extension_of_class_148_stands_behind_the_threads_and_names_the_user() {
    for (width, header, thread, length, sequence) in [
        (Bits32, 0xB8, 0x60, 0x168, 0x160),
        (Bits64, 0x100, 0x88, 0x170, 0x168),
    ] {
        let next = header + thread + length + 16;
        let mut answer = Layout::new(width, 2 * next);
        for entry in [0, next] {
            let extension = entry + header + thread;
            answer
                .number(entry, if entry == 0 { next as u32 } else { 0 })
                .number(entry + 4, 1)
                .number(extension + 0x34, length as u32)
                .number(extension + sequence, 77 + entry as u32)
                .bytes(extension + length, &LOCAL_SYSTEM);
        }
        let mut problems = Vec::new();
        let processes = decode::processes(&answer.buffer(), ProcessClass::Full, &mut problems);
        assert_eq!(problems, []);
        assert_eq!(processes.len(), 2);
        for process in processes {
            assert_eq!(process.user.unwrap().to_string(), "S-1-5-18");
            let number = process
                .extension
                .unwrap()
                .get(Extension::ProcessSequenceNumber);
            assert_eq!(number, Some(77 + process.offset as u64));
        }
    }
}

#[test]
fn a_chain_that_does_not_advance_ends() {
    let mut answer = Layout::new(Bits64, 0x400);
    answer.number(0, 8);
    let mut problems = Vec::new();
    let processes = decode::processes(&answer.buffer(), ProcessClass::Basic, &mut problems);
    assert_eq!(processes.len(), 1);
    assert_eq!(
        problems[0].what,
        "SYSTEM_PROCESS_INFORMATION.NextEntryOffset"
    );
    assert_eq!(problems[0].actual, "8");
}

#[test]
fn modules_of_class_77_end_with_an_empty_next_offset() {
    for (width, size, base, checksum) in [(Bits32, 0x12C, 4, 0x120), (Bits64, 0x140, 8, 0x130)] {
        let image_base = base + if width == Bits64 { 0x10 } else { 8 };
        let name = base + if width == Bits64 { 0x26 } else { 0x1A };
        let mut answer = Layout::new(width, 2 * size + 2);
        for index in 0..2 {
            let entry = index * size;
            answer
                .bytes(entry, &(size as u16).to_le_bytes())
                .pointer(entry + image_base, 0x8040_0000)
                .bytes(entry + name, &[4, 0])
                .bytes(entry + name + 2, b"\\Sy\\ntoskrnl.exe")
                .number(entry + checksum, 0xABCD);
        }
        let mut problems = Vec::new();
        let modules = decode::modules(&answer.buffer(), ModuleClass::Extended, &mut problems);
        assert_eq!(problems, []);
        assert_eq!(modules.len(), 2);
        let (path, start) = modules[1].path();
        assert_eq!(&path[start..], "ntoskrnl.exe");
        assert_eq!(modules[1].base.get(Module::ImageBase), Some(0x8040_0000));
        assert_eq!(
            modules[1].extended.unwrap().get(ModuleEx::ImageChecksum),
            Some(0xABCD)
        );
    }
}

#[test]
fn page_files_are_chained_and_named() {
    for (width, size, maximum) in [(Bits32, 0x20, 0x1C), (Bits64, 0x28, 0x24)] {
        let next = size + 64;
        let mut answer = Layout::new(width, 2 * next);
        answer
            .number(0, next as u32)
            .number(4, 100)
            .string(0x10, size, "\\??\\C:\\pagefile.sys")
            .number(next + maximum, 300)
            .string(next + 0x10, next + size, "\\??\\D:\\pagefile.sys");
        let mut problems = Vec::new();
        let files = decode::page_files(&answer.buffer(), PageFileClass::Extended, &mut problems);
        assert_eq!(problems, []);
        assert_eq!(files[0].base.get(PageFile::TotalSize), Some(100));
        assert_eq!(files[1].name.as_deref(), Some("\\??\\D:\\pagefile.sys"));
        assert_eq!(
            files[1].extended.unwrap().get(PageFileEx::MaximumSize),
            Some(300)
        );
    }
}

#[test]
fn a_telemetry_id_names_user_path_and_command_line_by_offset() {
    let mut answer = Layout::new(Bits64, 0x100);
    let text = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    answer
        .number(0, 0x60)
        .number(4, 1234)
        .number(0x48, 0x60)
        .number(0x4C, 0x70)
        .number(0x58, 0xA0)
        .bytes(0x60, &LOCAL_SYSTEM)
        .bytes(0x70, &text("\\Device\\smss.exe"))
        .bytes(0xA0, &text("smss.exe 1"));
    let mut problems = Vec::new();
    let id = decode::telemetry_id(&answer.buffer(), &mut problems).unwrap();
    assert_eq!(problems, []);
    assert_eq!(id.fixed.get(TelemetryId::ProcessId), Some(1234));
    assert_eq!(id.user.unwrap().to_string(), "S-1-5-18");
    assert_eq!(id.image_path.as_deref(), Some("\\Device\\smss.exe"));
    assert_eq!(id.command_line.as_deref(), Some("smss.exe 1"));
}
