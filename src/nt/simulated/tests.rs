//! The simulation against what is known from outside: a recording of a real boot, and its own promises.

use super::answers;
use super::recorded::{directory_entries, records};
use super::{End, Fault, Machine, Simulated, utf16};
use crate::nt::{Buffer, FileRequest, Handle, Kernel, Status, Task};
use bootshot_format::ObjectKind;

#[cfg(target_pointer_width = "64")]
const RECORDING: &[u8] = include_bytes!("../../../tools/reader/fixtures/boot-nt52-x64.ntd");
#[cfg(target_pointer_width = "32")]
const RECORDING: &[u8] = include_bytes!("../../../tools/reader/fixtures/boot-nt52-x86.ntd");

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

#[test]
fn directories_are_laid_out_as_a_real_kernel_laid_them_out() {
    let mut compared = 0;
    for record in records(RECORDING)
        .iter()
        .filter(|record| record.kind == 2 && record.status.is_success())
    {
        let entries = directory_entries(record);
        let (bytes, count) = answers::directory(&entries, 1 << 20, record.address);
        assert_eq!(
            (bytes.as_slice(), count),
            (record.bytes, entries.len()),
            "{}",
            record.name
        );
        compared += 1;
    }
    assert_eq!(compared, 9);
}

#[test]
fn a_replayed_process_list_points_into_the_callers_buffer_and_is_otherwise_unchanged() {
    let kernel = Machine::recorded(RECORDING).start();
    let recorded = records(RECORDING)
        .into_iter()
        .find(|record| record.kind == 1 && record.class == 5)
        .unwrap();
    let mut words = vec![0; 0x1000];
    let address = words.as_ptr().addr() as u64;
    let answer = kernel.query_system_information(5, Buffer::new(&mut words, usize::MAX));
    assert_eq!(
        (answer.status, answer.length),
        (Status::SUCCESS, recorded.bytes.len())
    );
    let mut bytes = Buffer::new(&mut words, answer.length).into_bytes().to_vec();
    assert_ne!(bytes, recorded.bytes);
    super::recorded::move_process_names(&mut bytes, address, recorded.address);
    assert_eq!(bytes, recorded.bytes);
}

#[test]
fn a_made_up_process_list_says_the_same_in_all_three_classes() {
    let machine = Machine::small();
    let plain = answers::processes(&machine, answers::Depth::Plain, 0, 0x1000);
    let extended = answers::processes(&machine, answers::Depth::Extended, 0, 0x1000);
    let full = answers::processes(&machine, answers::Depth::Full, 0, 0x1000);
    assert!(plain.len() < extended.len() && extended.len() < full.len());
    // The idle process, the first: 0x100 bytes and one thread of 0x50 bytes on x64, as recorded.
    #[cfg(target_pointer_width = "64")]
    assert_eq!(
        (plain[0], plain[1], extended[0], extended[1]),
        (0x50, 0x01, 0x88, 0x01)
    );
    let name = utf16("smss.exe");
    for list in [plain, extended, full] {
        assert!(list.windows(name.len()).any(|window| window == name));
    }
}

struct Delay(u32);

impl Task<&'static Simulated> for Delay {
    fn run(&'static self, kernel: &'static Simulated) {
        kernel.delay(self.0);
    }
}

#[test]
fn a_wait_for_a_thread_that_hangs_ends_at_once_with_its_time_limit_gone() {
    let hanging = Machine::small().at(1, 0, Fault::Hang);
    let run = hanging.run(|kernel| {
        let before = kernel.clock();
        let thread = kernel.start_thread(&Delay(1)).unwrap();
        let waited = kernel.wait(thread, Some(3_600_000));
        kernel.close(thread);
        (
            waited,
            kernel.clock().interrupt_time - before.interrupt_time,
        )
    });
    let End::Ended((waited, elapsed)) = run.end else {
        panic!("{:?}", run.end)
    };
    assert_eq!(waited, Status::TIMEOUT);
    assert!(elapsed >= 36_000_000_000, "{elapsed}");
    run.assert_clean();
}

#[test]
fn a_first_thread_that_hangs_is_reported_as_such() {
    let run = Machine::small().at(0, 1, Fault::Hang).run(|kernel| {
        kernel.delay(1);
        kernel.delay(1);
    });
    assert!(matches!(run.end, End::Hung));
    assert_eq!(run.calls.len(), 2);
}

#[test]
#[should_panic(expected = "left open")]
fn a_handle_left_open_is_found() {
    let run = Machine::small().run(|kernel| {
        kernel
            .open(ObjectKind::KEY, Handle::NONE, &wide(super::CONTROL), 1)
            .unwrap()
    });
    run.assert_clean();
}

#[test]
#[should_panic(expected = "closed without being open")]
fn a_handle_closed_twice_is_found() {
    let run = Machine::small().run(|kernel| {
        let key = kernel
            .open(ObjectKind::KEY, Handle::NONE, &wide(super::CONTROL), 1)
            .unwrap();
        kernel.close(key);
        kernel.close(key)
    });
    run.assert_clean();
}

#[test]
#[should_panic(expected = "outside the commits")]
fn a_write_behind_the_end_of_a_commit_is_found() {
    Machine::small().run(|kernel| {
        let address = kernel.reserve_memory(0x2000).unwrap();
        kernel.commit_memory(address, 0x1000);
        // SAFETY: the simulation reserves one page more than asked for, to notice this.
        unsafe { ((address + 0x2000) as *mut u8).write(1) };
        // SAFETY: nothing uses the range.
        unsafe { kernel.release_memory(address) };
    });
}

/// Creates a file with the given create options, writes and flushes it.
fn leave_a_file(kernel: &'static Simulated, volume_too: bool) {
    let request = |name, access, disposition, options| FileRequest {
        directory: Handle::NONE,
        name,
        access,
        share: 0,
        disposition,
        options,
        security: None,
    };
    let name = wide(r"\??\C:\kept");
    let file = kernel
        .create_file(&request(&name, 0x0011_0002, 2, 0x60))
        .unwrap();
    assert_eq!(kernel.write_file(file, b"flushed").length, 7);
    assert_eq!(kernel.flush_buffers_file(file), Status::SUCCESS);
    assert_eq!(kernel.write_file(file, b", not flushed").length, 13);
    kernel.close(file);
    if volume_too {
        let volume = kernel
            .create_file(&request(&wide(r"\??\C:"), 0x0010_0002, 1, 0x20))
            .unwrap();
        assert_eq!(kernel.flush_buffers_file(volume), Status::SUCCESS);
        kernel.close(volume);
    }
    kernel.delay(1);
}

#[test]
fn a_loss_of_power_leaves_what_was_flushed_as_each_file_system_does() {
    let after = |files, volume_too| {
        let off = Machine {
            files,
            ..Machine::small()
        }
        .on(|call| call.name == "NtDelayExecution", Fault::PowerOff);
        let run = off.run(move |kernel| leave_a_file(kernel, volume_too));
        assert!(matches!(run.end, End::PowerLost));
        run.machine
            .files
            .after_power_loss(|| false)
            .list("")
            .unwrap()
            .remove("kept")
    };
    let (ntfs, fat32) = (
        super::FileSystem::ntfs(1 << 20),
        super::FileSystem::fat32(1 << 20),
    );
    assert_eq!(after(ntfs.clone(), false).as_deref(), Some(&b"flushed"[..]));
    assert_eq!(
        after(ntfs, true).as_deref(),
        Some(&b"flushed, not flushed"[..])
    );
    assert_eq!(after(fat32.clone(), false), None);
    assert_eq!(
        after(fat32, true).as_deref(),
        Some(&b"flushed, not flushed"[..])
    );
}

#[test]
fn a_disk_takes_what_it_has_room_for_and_not_a_byte_more() {
    let machine = Machine {
        files: super::FileSystem::ntfs(10),
        ..Machine::small()
    };
    let run = machine.run(|kernel| {
        let name = wide(r"\SystemRoot\full");
        let request = FileRequest {
            directory: Handle::NONE,
            name: &name,
            access: 0x0011_0002,
            share: 0,
            disposition: 2,
            options: 0x60,
            security: None,
        };
        let file = kernel.create_file(&request).unwrap();
        let written = [b"1234567".as_slice(), b"89012", b"890"]
            .map(|bytes| kernel.write_file(file, bytes).status);
        kernel.close(file);
        written
    });
    assert_eq!(
        run.machine.files.list("Windows").unwrap()["full"],
        b"1234567890"
    );
    let End::Ended(written) = run.end else {
        panic!("{:?}", run.end)
    };
    assert_eq!(
        written,
        [Status::SUCCESS, Status::DISK_FULL, Status::SUCCESS]
    );
}
