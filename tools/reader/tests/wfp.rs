//! The stored policy of the Windows Filtering Platform: what is certain is told, the rest stays bytes.

use bootshot_format::Family;
use bootshot_reader::Snapshot;
use bootshot_reader::records::Wfp;
use test_snapshots::{Builder, Data, RegistryBatch, example_registry, serialized_filter, utf16};

const FILTERS: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\BFE\\Parameters\\Policy\\Persistent\\Filter";

fn wfp_of(batch: &RegistryBatch) -> Wfp {
    let mut builder = Builder::new(8);
    builder.batch(Family::REGISTRY, &batch.0);
    let file = builder.finish();
    let snapshot = Snapshot::parse(&file).expect("a sound header");
    let reading = snapshot.wfp();
    assert_eq!(reading.problems, []);
    reading.value
}

fn one(bytes: &[u8]) -> bootshot_reader::records::WfpObject {
    let mut batch = RegistryBatch::default();
    batch.values(FILTERS, &[("{guid}", Data::Bytes(bytes))]);
    let [object] = &wfp_of(&batch).objects[..] else {
        panic!("one object");
    };
    object.clone()
}

#[test]
fn kind_guid_name_and_layer_are_told_where_they_are_certain() {
    let wfp = wfp_of(&RegistryBatch(example_registry()));
    let [filter, other] = &wfp.objects[..] else {
        panic!("{:?}", wfp.objects);
    };
    assert_eq!(
        (filter.store, filter.kind.as_deref()),
        ("BootTime", Some("Filter"))
    );
    assert_eq!(filter.guid, "{935b7f36-2b2a-4a2e-a08e-5d0a0d7b1a44}");
    assert_eq!(filter.display_name.as_deref(), Some("Boot Time Filter"));
    assert_eq!(filter.layer, Some("FWPM_LAYER_ALE_AUTH_CONNECT_V4"));
    assert_eq!(filter.encoding, Some("NDR"));
    assert_eq!(filter.size, serialized_filter().len() as u64);

    assert_eq!(
        (other.encoding, &other.display_name, other.layer),
        (None, &None, None)
    );
    assert_eq!(other.bytes.as_deref(), Some("010203"));
    assert_eq!(
        other.sha256, "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81",
        "of 01 02 03"
    );
    let [refused] = &wfp.unreadable[..] else {
        panic!("{:?}", wfp.unreadable);
    };
    assert!(refused.path.ends_with("\\Persistent\\Filter"));
    assert_eq!(refused.status, "0xC0000022 STATUS_ACCESS_DENIED");
}

#[test]
fn a_string_is_taken_from_ndr64_as_well() {
    let mut bytes = vec![2, 0x10, 0x40, 0];
    bytes.resize(24, 0xCC);
    bytes.extend([
        0x33, 0x05, 0x71, 0x71, 0xBA, 0xBE, 0x37, 0x49, 0x83, 0x19, 0xB5, 0xDB, 0xEF, 0x9C, 0xCC,
        0x36,
    ]);
    bytes.resize(64 + 8 + 16, 0);
    for number in [3_u64, 0, 3] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(utf16("ab\0"));
    let object = one(&bytes);
    assert_eq!(object.encoding, Some("NDR64"));
    assert_eq!(object.display_name.as_deref(), Some("ab"));
    assert_eq!(object.layer, None);
}

#[test]
fn what_only_looks_like_a_string_is_none() {
    let with = |counts: [u32; 3], text: &str| {
        let mut bytes = vec![
            1, 0x10, 8, 0, 0xCC, 0xCC, 0xCC, 0xCC, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        bytes.extend(counts.into_iter().flat_map(u32::to_le_bytes));
        bytes.extend(utf16(text));
        one(&bytes).display_name
    };
    assert_eq!(with([3, 0, 3], "ab\0").as_deref(), Some("ab"));
    assert_eq!(with([3, 0, 2], "ab\0"), None, "lengths that differ");
    assert_eq!(with([3, 1, 3], "ab\0"), None, "not from its beginning");
    assert_eq!(with([3, 0, 3], "abc"), None, "no zero at its end");
    assert_eq!(with([3, 0, 3], "a\0\0"), None, "a zero in it");
    assert_eq!(
        with([u32::MAX, 0, u32::MAX], "ab\0"),
        None,
        "beyond the end"
    );
}
