//! The container: header, records, items, whatever they hold.
#![no_main]

use bootshot_format::{Encoding, Header, Items, Records};
use bootshot_fuzz::meter::measure;
use bootshot_fuzz::mutate_snapshot;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|file: &[u8]| {
    let id = Header::open(file).map_or([0; 16], |header| header.snapshot_id);
    let ((), allocated) = measure(|| walk(file, id));
    assert_eq!(allocated.total, 0, "the container allocates");
});

fn walk(file: &[u8], id: [u8; 16]) {
    let mut end = 0;
    for record in Records::new(file, id, 0) {
        let (start, next) = match record {
            Ok(record) => {
                let (offset, length) = (record.offset, record.header.padded_length());
                record.payload_is_intact();
                record.section_begin();
                record.section_end();
                if let Some((trailer, offsets)) = record.trailer() {
                    assert_eq!(offsets.len(), trailer.index_entries as usize);
                }
                for encoding in [Encoding::BATCH, Encoding::PACKED_BATCH] {
                    let mut items_end = 0;
                    for item in Items::new(record.payload, encoding).flatten() {
                        assert_eq!(item.offset, items_end);
                        items_end += item.header.length as usize;
                        assert!(item.data_offset + item.data.len() <= items_end);
                    }
                    assert!(items_end <= record.payload.len().next_multiple_of(8));
                }
                (offset, offset + 48 + length)
            }
            Err(damage) => (damage.offset, damage.offset + damage.length),
        };
        // Each byte is in one record or in one piece of damage, in order: the work is linear.
        assert_eq!(start, end);
        assert!(next > start);
        end = next;
    }
    assert_eq!(end, file.len() as u64);
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_snapshot(data, size, max_size, seed, fuzzer_mutate)
});
