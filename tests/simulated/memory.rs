//! The safe layers over memory, with every allocation failing in its turn.

use bootshot::nt::simulated::{Fault, Machine, Simulated};
use bootshot::nt::{Handover, Heap, Kernel, List, OutOfMemory, PAGE, Region, Status};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// Two lists of different element sizes that grow in turns, one of which comes and goes.
fn work(kernel: &'static Simulated, limit: usize) -> Result<(), OutOfMemory> {
    let heap = Heap::new(kernel, limit);
    let mut kept = List::new(&heap);
    for round in 0..8u64 {
        let mut passing = List::new(&heap);
        let pushed = (0..4_000u64).try_for_each(|number| {
            kept.push((round, number))?;
            passing.push(number as u16)
        });
        // What was pushed before stays, whatever fails.
        let numbers = 0..passing.len();
        assert!(
            passing
                .iter()
                .copied()
                .eq(numbers.map(|number| number as u16))
        );
        let pairs = (0..kept.len() as u64).map(|place| (place / 4_000, place % 4_000));
        assert!(kept.iter().copied().eq(pairs));
        pushed?;
    }
    assert_eq!(kept.len(), 32_000);
    Ok(())
}

#[test]
fn lists_survive_every_allocation_that_fails_and_give_everything_back() {
    let mut commits = 0;
    loop {
        let kernel = Machine {
            commits,
            ..Machine::small()
        }
        .start();
        let result = work(kernel, 8 << 20);
        assert_eq!(kernel.memory(), (0, 0), "after {commits} commits");
        if result.is_ok() {
            break;
        }
        commits += 1;
    }
    println!("{commits} commits refused, each in its turn");
    assert!(commits > 4);
}

#[test]
fn a_heap_never_outgrows_its_limit() {
    let mut outcomes = Vec::new();
    for limit in (0..2 << 20).step_by(128 << 10) {
        let kernel = Machine::small().start();
        outcomes.push(work(kernel, limit).is_ok());
        let commits = kernel
            .calls()
            .iter()
            .filter(|call| call.text == "commit")
            .map(|call| call.argument)
            .sum::<u64>();
        assert!(commits <= limit as u64, "{commits} bytes of {limit}");
        assert_eq!(kernel.memory(), (0, 0));
    }
    assert!(
        outcomes.is_sorted() && !outcomes[0] && outcomes.last() == Some(&true),
        "{outcomes:?}"
    );
}

#[test]
fn a_heap_that_gets_no_address_space_says_so() {
    let refused = Machine::small().on(
        |call| call.text == "reserve",
        Fault::Fail(Status::NO_MEMORY),
    );
    assert_eq!(work(refused.start(), 8 << 20), Err(OutOfMemory));
}

#[test]
fn what_lists_give_back_is_used_again() {
    let kernel = Machine::small().start();
    let heap = Heap::new(kernel, 4 << 20);
    let mut committed = Vec::new();
    for _ in 0..50 {
        let mut list = List::new(&heap);
        (0..2_000u32)
            .try_for_each(|number| list.push(number))
            .unwrap();
        committed.push(kernel.memory().1);
    }
    assert_eq!(committed[1..].iter().max(), committed[1..].iter().min());
}

#[test]
fn a_region_is_zeroed_writable_and_released() {
    let kernel = Machine::small().start();
    for length in [1, PAGE, PAGE + 1, 300_000] {
        let mut region = Region::new(kernel, length).unwrap();
        assert_eq!(region.length(), length.next_multiple_of(PAGE));
        assert!(region.bytes().iter().all(|byte| *byte == 0));
        region.bytes_mut().fill(0xA5);
        assert_eq!(region.buffer(7).into_bytes(), [0xA5; 7]);
        assert_eq!(region.buffer(usize::MAX).length(), region.length());
    }
    assert_eq!(kernel.memory(), (0, 0));
    let mut empty = Region::empty(kernel);
    assert!(empty.bytes().is_empty() && empty.bytes_mut().is_empty());
}

#[test]
fn a_region_that_cannot_be_committed_is_not_kept_reserved() {
    let kernel = Machine {
        commits: 0,
        ..Machine::small()
    }
    .start();
    assert!(Region::new(kernel, PAGE).is_err());
    assert_eq!(kernel.memory(), (0, 0));
}

#[test]
fn a_value_is_borrowed_by_one_and_taken_once() {
    let value = Handover::new(1);
    let nested = value.borrow(|outer| {
        *outer += 1;
        (value.borrow(|_| ()), value.take().copied())
    });
    assert_eq!(nested, Some((None, None)));
    assert_eq!(value.take().copied(), Some(2));
    assert_eq!(
        (value.take().copied(), value.borrow(|value| *value)),
        (None, None)
    );
}

#[test]
fn nobody_borrows_what_another_thread_has_taken() {
    const ROUNDS: usize = 40;
    let mut borrowed = 0;
    for _ in 0..ROUNDS {
        // Two words that only a whole borrow keeps equal.
        let value = Handover::new((0u64, 0u64));
        let (count, go) = (AtomicU64::new(0), AtomicBool::new(false));
        let seen = thread::scope(|scope| {
            scope.spawn(|| {
                go.store(true, Ordering::Release);
                while value
                    .borrow(|(first, second)| (*first += 1, *second += 1))
                    .is_some()
                {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
            while !go.load(Ordering::Acquire) {
                thread::yield_now();
            }
            loop {
                if let Some(taken) = value.take() {
                    break *taken;
                }
            }
        });
        let count = count.into_inner();
        assert_eq!(seen, (count, count));
        borrowed += count;
    }
    println!("{ROUNDS} values taken from under {borrowed} borrows");
}

#[test]
fn a_value_in_use_cannot_be_taken_by_the_finisher() {
    let value = Handover::new(String::from("in use"));
    let (entered, leave) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        let user = scope.spawn(|| {
            value.borrow(|text| {
                entered.store(true, Ordering::Release);
                while !leave.load(Ordering::Acquire) {
                    thread::yield_now();
                }
                text.push('!');
            })
        });
        while !entered.load(Ordering::Acquire) {
            thread::yield_now();
        }
        assert!(value.take().is_none());
        leave.store(true, Ordering::Release);
        assert_eq!(user.join().unwrap(), Some(()));
    });
    assert_eq!(value.take().map(|text| text.as_str()), Some("in use!"));
}

#[test]
fn memory_is_committed_where_it_was_reserved_and_nowhere_else() {
    let kernel = Machine::small().start();
    let address = kernel.reserve_memory(4 * PAGE).unwrap();
    assert!(kernel.commit_memory(address + PAGE, PAGE).is_success());
    assert!(
        !kernel
            .commit_memory(address + 3 * PAGE, 2 * PAGE)
            .is_success()
    );
    assert_eq!(kernel.memory(), (4 * PAGE, PAGE));
    // SAFETY: nothing uses the range.
    unsafe { kernel.release_memory(address) };
    assert_eq!(kernel.memory(), (0, 0));
}
