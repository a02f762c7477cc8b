//! The inner loops of the reader: what a file of a million handles spends its time on.

use std::hint::black_box;

use bootshot_bench::capture::{Phase, capture};
use bootshot_bench::machine::Size;
use bootshot_format::{Family, Source, xxh64};
use bootshot_reader::decode::{self, HandleClass, ProcessClass};
use bootshot_reader::{Answer, Snapshot};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const PROCESSES: u32 = 57;
const HANDLES: u32 = 64;

fn answer<'a>(snapshot: &'a Snapshot<'_>, class: u32) -> Answer<'a> {
    snapshot
        .answered(Source::SYSTEM_INFORMATION, class)
        .next()
        .expect("the simulated kernel answers that class")
}

fn inner_loops(criterion: &mut Criterion) {
    let file = capture(Size::FULL.smaller(10), 0, Phase::Boot)
        .expect("the capture succeeds")
        .snapshot;
    let snapshot = Snapshot::parse(&file).expect("it is a snapshot");
    let mut group = criterion.benchmark_group("inner loops");

    group.throughput(Throughput::Bytes(file.len() as u64));
    group.bench_function("checksum", |bencher| {
        bencher.iter(|| xxh64(black_box(&file)))
    });

    let handles = answer(&snapshot, HANDLES);
    group.throughput(Throughput::Bytes(handles.bytes.len() as u64));
    group.bench_function("handle entries", |bencher| {
        bencher.iter(|| {
            let buffer = black_box(handles.buffer());
            decode::each_handle(&buffer, HandleClass::Extended, &mut Vec::new())
                .fold(0, |sum, entry| sum ^ entry.object ^ entry.handle)
        });
    });

    let processes = answer(&snapshot, PROCESSES);
    let class = ProcessClass::from_number(PROCESSES).expect("the reader knows that class");
    group.throughput(Throughput::Bytes(processes.bytes.len() as u64));
    group.bench_function("process entries", |bencher| {
        bencher.iter(|| decode::processes(&black_box(processes.buffer()), class, &mut Vec::new()));
    });

    let listings: Vec<_> = snapshot
        .answers_from(Source::DIRECTORY_OBJECT)
        .filter(|answer| answer.family == Family::NAMESPACE)
        .collect();
    let bytes: usize = listings.iter().map(|answer| answer.bytes.len()).sum();
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("UTF-16 names of directory entries", |bencher| {
        bencher.iter(|| {
            let entries = listings.iter().map(|listing| {
                decode::directory_entries(&black_box(listing.buffer()), &mut Vec::new()).len()
            });
            entries.sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, inner_loops);
criterion_main!(benches);
