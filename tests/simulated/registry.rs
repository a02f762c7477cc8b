//! The keys that are walked through: each once for what is wanted of it, links and refusals as they are.

use crate::snapshot::Snapshot;
use crate::{boot, capture, only_snapshot, status, text};
use bootshot::nt::Status;
use bootshot::nt::simulated::{CONTROL, Fault, Machine, Run, SESSION_MANAGER, utf16};
use bootshot_format::{Family, Item, OpenKind, Outcome, Source, padded};
use std::collections::BTreeSet;

const SERVICES: &str = r"\Registry\Machine\SYSTEM\CurrentControlSet\Services";
const REG_SZ: u32 = 1;
const REG_DWORD: u32 = 4;
/// `NtQueryKey`, `KeyFlagsInformation`.
const FLAGS: u32 = 5;
/// `NtEnumerateKey`, `KeyBasicInformation`.
const BASIC: u32 = 0;
/// `NtEnumerateValueKey`, `KeyValueFullInformation`.
const FULL: u32 = 1;
/// `NtQueryValueKey`, `KeyValuePartialInformation`.
const PARTIAL: u32 = 2;

fn dword(bytes: &[u8], offset: usize) -> usize {
    u32::from_ne_bytes(bytes[offset..offset + 4].try_into().unwrap()) as usize
}

/// The items that ask about a key.
fn about<'s>(snapshot: &'s Snapshot, source: Source, class: u32, path: &str) -> Vec<Item<'s>> {
    let mut items = snapshot.items_of(source, class);
    items.retain(|item| text(item.name).eq_ignore_ascii_case(path));
    items
}

/// All answers about a key, from runs that each go on where the one before ended.
#[track_caller]
fn answers<'s>(snapshot: &'s Snapshot, source: Source, class: u32, path: &str) -> Vec<&'s [u8]> {
    let mut answers = Vec::new();
    let runs = about(snapshot, source, class, path);
    for (place, run) in runs.iter().enumerate() {
        assert_eq!(run.header.argument, answers.len() as u64, "{path}");
        let status = Status::new(run.header.status);
        if place + 1 == runs.len() {
            assert_eq!(status, Status::NO_MORE_ENTRIES, "{path}");
        } else {
            assert!(status.wants_more_room(), "{path}: {status:x?}");
        }
        assert_eq!(run.header.outcome, Outcome::COMPLETE);
        let mut rest = run.data;
        while !rest.is_empty() {
            let length = match source {
                Source::SUBKEYS => 16 + dword(rest, 12),
                _ if dword(rest, 12) == 0 => 20 + dword(rest, 16),
                _ => dword(rest, 8) + dword(rest, 12),
            };
            answers.push(&rest[..length]);
            rest = &rest[padded(length).min(rest.len())..];
        }
    }
    answers
}

#[track_caller]
fn subkeys(snapshot: &Snapshot, path: &str) -> Vec<String> {
    let answers = answers(snapshot, Source::SUBKEYS, BASIC, path);
    answers.iter().map(|answer| text(&answer[16..])).collect()
}

/// Name, type and data of the values of a key.
#[track_caller]
fn values(snapshot: &Snapshot, path: &str) -> Vec<(String, u32, Vec<u8>)> {
    let answers = answers(snapshot, Source::KEY_VALUES, FULL, path);
    let value = |answer: &&[u8]| {
        let name = text(&answer[20..20 + dword(answer, 16)]);
        let data = match dword(answer, 12) {
            0 => &[],
            _ => &answer[dword(answer, 8)..],
        };
        (name, dword(answer, 4) as u32, data.to_vec())
    };
    answers.iter().map(value).collect()
}

#[track_caller]
fn value(snapshot: &Snapshot, path: &str, name: &str) -> Vec<u8> {
    let found = values(snapshot, path)
        .into_iter()
        .find(|value| value.0 == name);
    found.unwrap_or_else(|| panic!("{path}: {name}")).2
}

/// The keys that could not be opened, and why.
fn refused(snapshot: &Snapshot) -> Vec<(String, Status)> {
    let items = snapshot.items_of(Source::OPEN, OpenKind::KEY.0);
    items
        .iter()
        .map(|item| (text(item.name), Status::new(item.header.status)))
        .collect()
}

#[test]
fn the_session_managers_lists_and_the_start_options_are_recorded() {
    let (snapshot, _) = capture(Machine::small());
    assert_eq!(
        value(&snapshot, SESSION_MANAGER, "BootExecute"),
        utf16("autocheck autochk *\0\0")
    );
    assert_eq!(
        value(&snapshot, CONTROL, "SystemStartOptions"),
        utf16(" NOEXECUTE=OPTIN\0")
    );
    // Started normally: the key for Safe Mode is not there, which is recorded too.
    let missing = refused(&snapshot);
    assert!(missing.iter().any(|(path, status)| {
        path.ends_with(r"SafeBoot\Option") && *status == Status::OBJECT_NAME_NOT_FOUND
    }));
}

/// A machine with something in each place that is looked at, and with as much around it.
fn furnished() -> Machine {
    const SYSTEM: &str = r"\Registry\Machine\System";
    let mut machine = Machine::small();
    let mut keys: Vec<String> = [
        "Select",
        "Setup",
        "Setup\\Status",
        "MountedDevices",
        r"WPA\478C",
    ]
    .iter()
    .map(|name| format!(r"{SYSTEM}\{name}"))
    .collect();
    for control in [
        "hivelist",
        r"Session Manager\Memory Management\PrefetchParameters",
        r"Session Manager\KnownDLLs",
        r"SafeBoot\Option",
        r"SafeBoot\Minimal\AppMgmt",
        r"CI\Policy\Inner",
        r"CI\Protected",
        r"DeviceGuard\Scenarios\HypervisorEnforcedCodeIntegrity\State",
        r"DeviceGuard\Capabilities",
        r"SecureBoot\State",
        r"SecureBoot\Servicing",
        r"CrashControl\StorageTelemetry",
        r"Lsa\JD",
        "ServiceGroupOrder",
        "GroupOrderList",
        r"EarlyLaunch\Inner",
        r"WMI\Autologger\EventLog-System\{guid}",
        r"WMI\Security",
    ] {
        keys.push(format!(r"{CONTROL}\{control}"));
    }
    for service in [
        r"disk\Enum",
        r"FltMgr",
        r"luafv\Instances\luafv",
        r"wcifs\Parameters\Instances\wcifs Instance\Inner",
        r"Tcpip\Parameters\Interfaces",
        r"BFE\Parameters\Policy\BootTime\Filter",
        r"BFE\Parameters\Policy\Persistent\Provider\{guid}",
        r"BFE\Parameters\Policy\Options",
    ] {
        keys.push(format!(r"{SERVICES}\{service}"));
    }
    keys.push(r"\Registry\Machine\SAM\SAM\Domains\Account".into());
    keys.push(r"\Registry\User\.DEFAULT\Software\Microsoft\Windows".into());
    keys.push(r"\Registry\WC\Silo".into());
    for key in keys {
        machine.set_value(&key, "", (REG_SZ, utf16(&key)));
        machine.set_value(&key, "Empty", (REG_DWORD, Vec::new()));
    }
    for user in ["S-1-5-18", "S-1-5-21-1-2-3-1001"] {
        let classes = format!(r"\Registry\User\{user}_Classes");
        machine.make_key(&format!(r"{classes}\.txt\ShellNew"));
        machine.link_key(
            &format!(r"\Registry\User\{user}\Software\Classes"),
            &classes,
        );
    }
    machine
}

/// What is wanted of which keys, in full paths.
const WANTED: &[(&str, &[(Source, u32)])] = {
    const S: (Source, u32) = (Source::SUBKEYS, BASIC);
    const V: (Source, u32) = (Source::KEY_VALUES, FULL);
    const F: (Source, u32) = (Source::KEY_INFORMATION, FLAGS);
    &[
        (r"\Registry", &[S]),
        (r"\Registry\*", &[S, F]),
        (r"\Registry\*\*", &[S, F]),
        (r"\Registry\*\*\*", &[F]),
        (r"\Registry\*\*\Software\Classes", &[F]),
        (r"\Registry\Machine\System\Select", &[V]),
        (r"\Registry\Machine\System\Setup", &[V]),
        (r"CONTROL", &[V]),
        (r"CONTROL\hivelist", &[V]),
        (r"CONTROL\Session Manager", &[S, V]),
        (r"CONTROL\Session Manager\*", &[V]),
        (r"CONTROL\SafeBoot\Option", &[V]),
        (r"CONTROL\CI", &[S, V]),
        (r"CONTROL\CI\*", &[V]),
        (r"CONTROL\DeviceGuard", &[V]),
        (r"CONTROL\DeviceGuard\Scenarios", &[S]),
        (r"CONTROL\DeviceGuard\Scenarios\*", &[V]),
        (r"CONTROL\SecureBoot\State", &[V]),
        (r"CONTROL\CrashControl", &[V]),
        (r"CONTROL\Lsa", &[V]),
        (r"CONTROL\ServiceGroupOrder", &[V]),
        (r"CONTROL\GroupOrderList", &[V]),
        (r"CONTROL\EarlyLaunch", &[V]),
        (r"CONTROL\WMI\Autologger", &[S]),
        (r"CONTROL\WMI\Autologger\*", &[V]),
        (r"SERVICES", &[S]),
        (r"SERVICES\*", &[V]),
        (r"SERVICES\*\Instances", &[S, V]),
        (r"SERVICES\*\Instances\*", &[V]),
        (r"SERVICES\*\Parameters\Instances", &[S, V]),
        (r"SERVICES\*\Parameters\Instances\*", &[V]),
        (r"SERVICES\BFE\Parameters\Policy\BootTime", &[S, V]),
        (r"SERVICES\BFE\Parameters\Policy\BootTime\*", &[S, V]),
        (r"SERVICES\BFE\Parameters\Policy\Persistent", &[S, V]),
        (r"SERVICES\BFE\Parameters\Policy\Persistent\*", &[S, V]),
    ]
};

fn matches(pattern: &str, path: &str) -> bool {
    let pattern = match pattern.split_once('\\') {
        Some(("CONTROL", rest)) => format!(r"{CONTROL}\{rest}"),
        Some(("SERVICES", rest)) => format!(r"{SERVICES}\{rest}"),
        None if pattern == "CONTROL" => CONTROL.to_owned(),
        None => SERVICES.to_owned(),
        _ => pattern.to_owned(),
    };
    let (pattern, path) = (pattern.split('\\'), path.split('\\'));
    pattern.clone().count() == path.clone().count()
        && pattern
            .zip(path)
            .all(|(pattern, part)| pattern == "*" || pattern.eq_ignore_ascii_case(part))
}

#[test]
fn every_matching_key_is_captured_exactly_once_for_what_is_wanted_of_it() {
    let machine = furnished();
    let mut paths: BTreeSet<String> = machine.keys.keys().cloned().collect();
    // The same keys by the link, as far as it is followed: below it.
    for path in machine.keys.keys() {
        if let Some((above, below)) = path.split_once(r"\controlset001\") {
            paths.insert(format!(r"{above}\currentcontrolset\{below}"));
        }
    }
    let mut expected = Vec::new();
    for path in paths.iter().filter(|path| *path != r"\registry\a") {
        for (pattern, wanted) in WANTED {
            if matches(pattern, path) {
                expected.extend(
                    wanted
                        .iter()
                        .map(|(source, class)| (*source, *class, path.clone())),
                );
            }
        }
    }
    let (snapshot, _) = capture(machine);
    let mut found = Vec::new();
    for section in &snapshot.sections {
        if section.begin.family != Family::REGISTRY {
            continue;
        }
        assert_eq!(section.end.outcome, Outcome::COMPLETE);
        for item in section.items() {
            let header = item.header;
            if header.source != Source::OPEN && header.source != Source::REGISTRY_VALUE {
                found.push((header.source, header.class, text(item.name).to_lowercase()));
            }
        }
    }
    let sort = |rows: &mut Vec<(Source, u32, String)>| {
        rows.sort_by_key(|(source, class, path)| (path.clone(), source.0, *class));
    };
    sort(&mut expected);
    sort(&mut found);
    assert_eq!(found, expected);
    assert!(found.len() > 80, "{}", found.len());
}

#[test]
fn subkeys_and_values_are_those_of_the_key() {
    let machine = furnished();
    let instance = format!(r"{SERVICES}\luafv\Instances\luafv");
    let (snapshot, _) = capture(machine);
    assert_eq!(
        subkeys(&snapshot, r"\Registry"),
        ["A", "Machine", "User", "WC"]
    );
    assert_eq!(
        values(&snapshot, &instance),
        [
            (String::new(), REG_SZ, utf16(&instance)),
            ("Empty".into(), REG_DWORD, Vec::new()),
        ]
    );
    let filters = format!(r"{SERVICES}\BFE\Parameters\Policy\Persistent");
    assert_eq!(subkeys(&snapshot, &filters), ["Provider"]);
    assert_eq!(
        subkeys(&snapshot, &format!(r"{filters}\Provider")),
        ["{guid}"]
    );
}

/// `KEY_FLAGS_INFORMATION.KeyFlags`.
#[track_caller]
fn flags(snapshot: &Snapshot, path: &str) -> usize {
    let items = about(snapshot, Source::KEY_INFORMATION, FLAGS, path);
    assert_eq!(items.len(), 1, "{path}");
    dword(items[0].data, 4)
}

/// The target recorded of a link key.
fn target(snapshot: &Snapshot, path: &str) -> Option<String> {
    let items = about(snapshot, Source::REGISTRY_VALUE, PARTIAL, path);
    items.first().map(|item| {
        assert_eq!(text(item.value_name), "SymbolicLinkValue");
        assert_eq!(dword(item.data, 4), 6, "REG_LINK");
        text(&item.data[12..])
    })
}

#[test]
fn links_are_recorded_with_their_targets_and_not_followed() {
    let mut machine = furnished();
    let alias = r"\Registry\User\Alias";
    machine.link_key(alias, r"\Registry\User\.DEFAULT");
    let (snapshot, _) = capture(machine);
    let current = r"\Registry\Machine\System\CurrentControlSet";
    assert_eq!(flags(&snapshot, current), 2);
    assert_eq!(
        target(&snapshot, current).as_deref(),
        Some(r"\Registry\Machine\SYSTEM\ControlSet001")
    );
    let classes = r"\Registry\User\S-1-5-18\Software\Classes";
    assert_eq!(flags(&snapshot, classes), 2);
    assert_eq!(
        target(&snapshot, classes).as_deref(),
        Some(r"\Registry\User\S-1-5-18_Classes")
    );
    // No key that is none has a target, and none below a link is reached by what every subkey is asked.
    let links = snapshot.items_of(Source::REGISTRY_VALUE, PARTIAL);
    assert_eq!(links.len(), 3, "CurrentControlSet and two users' classes");
    assert_eq!(flags(&snapshot, alias), 2);
    assert_eq!(subkeys(&snapshot, alias), [""; 0]);
    let below = |item: &Item<'_>| text(item.name).starts_with(&format!(r"{alias}\"));
    assert!(!snapshot.items().iter().any(below));
}

#[test]
fn volatile_keys_are_marked_as_the_kernel_marks_them() {
    let mut machine = Machine::small();
    machine.make_key(r"\Registry\Machine\HARDWARE").flags = 1;
    machine.make_key(r"\Registry\Machine\HARDWARE\ACPI").flags = 1;
    let (snapshot, _) = capture(machine);
    for (path, expected) in [
        (r"\Registry\Machine\HARDWARE", 1),
        (r"\Registry\Machine\HARDWARE\ACPI", 1),
        (r"\Registry\Machine\SYSTEM", 0),
    ] {
        assert_eq!(flags(&snapshot, path), expected, "{path}");
    }
}

#[test]
fn a_key_that_refuses_is_recorded_and_those_beside_and_below_it_are_asked() {
    let mut machine = Machine::small();
    machine.set_value(&format!(r"{CONTROL}\hivelist"), "x", (REG_SZ, utf16("y")));
    machine.key_mut(CONTROL).unwrap().refused_access = 1;
    let (snapshot, _) = capture(machine);
    let refused = refused(&snapshot);
    for path in [r"\Registry\A", CONTROL] {
        let found = refused.iter().filter(|(refused, status)| {
            refused.eq_ignore_ascii_case(path) && *status == Status::ACCESS_DENIED
        });
        assert_eq!(found.count(), 1, "{path} in {refused:?}");
    }
    assert_eq!(subkeys(&snapshot, r"\Registry\User"), [".DEFAULT"]);
    let hives = values(&snapshot, &format!(r"{CONTROL}\hivelist"));
    assert_eq!(hives, [("x".into(), REG_SZ, utf16("y"))]);
}

#[test]
fn a_value_larger_than_the_buffer_stands_whole_among_the_others() {
    let mut machine = Machine::small();
    let select = r"\Registry\Machine\System\Select";
    let large: Vec<u8> = (0..1_000_001u32).map(|n| (n % 251) as u8).collect();
    machine.set_value(select, "a", (REG_SZ, utf16("before")));
    machine.set_value(select, "b", (3, large.clone()));
    machine.set_value(select, "c", (REG_SZ, utf16("behind")));
    let (snapshot, _) = capture(machine);
    let values = values(&snapshot, select);
    let lengths: Vec<_> = values.iter().map(|value| value.2.len()).collect();
    assert_eq!(lengths, [12, large.len(), 12]);
    assert!(values[1].2 == large);
    assert_eq!(values[2].2, utf16("behind"));
}

/// So many trace sessions, their names as long as this at least.
fn sessions(count: usize, length: usize) -> Machine {
    let mut machine = Machine::small();
    for number in 0..count {
        let name = format!("{number:05}-{}", "x".repeat(length));
        let path = format!(r"{CONTROL}\WMI\Autologger\{name}");
        machine.set_value(&path, "Start", (REG_DWORD, vec![1, 0, 0, 0]));
    }
    machine
}

#[test]
fn a_key_with_more_subkeys_than_fit_one_run_is_listed_whole() {
    const COUNT: usize = 1_200;
    let (snapshot, _) = capture(sessions(COUNT, 240));
    let path = format!(r"{CONTROL}\WMI\Autologger");
    let runs = about(&snapshot, Source::SUBKEYS, BASIC, &path).len();
    assert!(runs > 2, "{runs}");
    let names = subkeys(&snapshot, &path);
    assert_eq!(names.len(), COUNT);
    for (number, name) in names.iter().enumerate() {
        assert!(name.starts_with(&format!("{number:05}-")));
    }
    let values = snapshot.items_of(Source::KEY_VALUES, FULL);
    let sessions = values
        .iter()
        .filter(|item| text(item.name).contains(r"WMI\Autologger\"));
    assert_eq!(sessions.count(), COUNT);
    assert_eq!(snapshot.outcomes(Family::REGISTRY), [Outcome::COMPLETE]);
}

#[test]
fn of_more_subkeys_than_any_key_should_have_only_some_are_walked_into_which_is_said() {
    let (snapshot, _) = capture(sessions(2_100, 0));
    let path = format!(r"{CONTROL}\WMI\Autologger");
    assert_eq!(subkeys(&snapshot, &path).len(), 2_100);
    let values = snapshot.items_of(Source::KEY_VALUES, FULL);
    let sessions = values
        .iter()
        .filter(|item| text(item.name).contains(r"WMI\Autologger\"));
    assert_eq!(sessions.count(), 2_048);
    assert_eq!(snapshot.outcomes(Family::REGISTRY), [Outcome::TRUNCATED]);
    // And what comes behind them in the table is there.
    assert!(!about(&snapshot, Source::OPEN, OpenKind::KEY.0, SERVICES).is_empty());
}

#[test]
fn a_key_without_end_ends() {
    let mut machine = Machine::small();
    let select = r"\Registry\Machine\System\Select";
    machine.make_key(select);
    let endless = machine.on(
        move |call| call.name == "NtEnumerateValueKey" && call.text.eq_ignore_ascii_case(select),
        Fault::FailWithLength(Status::SUCCESS, 24),
    );
    let (snapshot, _) = capture(endless);
    let runs = about(&snapshot, Source::KEY_VALUES, FULL, select);
    let last = runs.last().unwrap();
    assert_eq!(last.header.outcome, Outcome::TRUNCATED);
    let bytes: usize = runs.iter().map(|run| run.data.len()).sum();
    assert_eq!(bytes, (1 << 16) * 24);
}

#[test]
fn a_key_deleted_before_it_is_opened_is_not_missed() {
    let gone = format!(r"{SERVICES}\FltMgr");
    let machine = furnished().on(
        move |call| call.name == "NtOpenKey" && call.text.eq_ignore_ascii_case(&gone),
        Fault::Fail(Status::OBJECT_NAME_NOT_FOUND),
    );
    let (snapshot, _) = capture(machine);
    assert!(subkeys(&snapshot, SERVICES).contains(&"FltMgr".into()));
    let named = |item: &Item<'_>| text(item.name).ends_with("FltMgr");
    assert!(!snapshot.items().iter().any(named));
    assert!(!values(&snapshot, &format!(r"{SERVICES}\luafv\Instances\luafv")).is_empty());
}

#[test]
fn a_key_deleted_while_it_is_asked_keeps_what_it_told() {
    const KEY_DELETED: Status = Status::new(0xC000_017C);
    let path = format!(r"{SERVICES}\FltMgr");
    let gone = path.clone();
    let machine = furnished().on(
        move |call| {
            call.name == "NtEnumerateValueKey"
                && call.text.eq_ignore_ascii_case(&gone)
                && call.argument == 1
        },
        Fault::Fail(KEY_DELETED),
    );
    let (snapshot, _) = capture(machine);
    let runs = about(&snapshot, Source::KEY_VALUES, FULL, &path);
    let [run] = runs.as_slice() else {
        panic!("{} runs", runs.len());
    };
    assert_eq!(run.header.status, KEY_DELETED.number());
    assert_eq!(run.header.outcome, Outcome::TRUNCATED);
    assert!(text(run.data).contains("FltMgr"));
    assert!(!values(&snapshot, &format!(r"{SERVICES}\luafv\Instances\luafv")).is_empty());
}

#[test]
fn a_name_too_long_for_a_path_is_recorded_and_those_beside_it_are_asked() {
    const LIMIT: usize = 1024;
    let mut machine = furnished();
    machine.make_key(&format!(r"{SERVICES}\{}", "long".repeat(300)));
    let (snapshot, _) = capture(machine);
    let refused = refused(&snapshot);
    let long = refused
        .iter()
        .filter(|(_, status)| status.number() == 0xC000_0106);
    let long: Vec<_> = long.map(|(path, _)| path).collect();
    assert_eq!(long.len(), 1, "{refused:?}");
    assert!(long[0].len() == LIMIT && long[0].ends_with("longlong"));
    assert!(!values(&snapshot, &format!(r"{SERVICES}\FltMgr")).is_empty());
}

#[test]
fn no_call_about_a_key_has_more_room_than_a_page_unless_its_answer_needs_it() {
    let names = [
        "NtQueryKey",
        "NtEnumerateKey",
        "NtEnumerateValueKey",
        "NtQueryValueKey",
    ];
    let rooms = |machine| -> Vec<usize> {
        let calls = capture(machine).1.calls;
        let about_keys = calls.into_iter().filter(|call| names.contains(&call.name));
        let answers = about_keys.filter_map(|call| call.answer);
        answers.map(|answer| answer.capacity).collect()
    };
    let usual = rooms(furnished());
    assert!(usual.len() > 100, "{}", usual.len());
    assert!(usual.iter().all(|room| *room <= 0x1000), "{usual:?}");
    let mut machine = furnished();
    let select = r"\Registry\Machine\System\Select";
    machine.set_value(select, "large", (REG_SZ, vec![0; 0x2000]));
    let larger = rooms(machine).into_iter().filter(|room| *room > 0x1000);
    assert_eq!(larger.count(), 1);
}

#[test]
fn the_walk_stops_when_the_time_of_the_family_is_up() {
    let slow = furnished()
        .with_command_line("bootshot budget=500")
        .on(|call| call.name == "NtOpenKey", Fault::Late(10));
    let (snapshot, run) = capture(slow);
    assert_eq!(snapshot.outcomes(Family::REGISTRY), [Outcome::TRUNCATED]);
    let opened = run.calls.iter().filter(|call| call.name == "NtOpenKey");
    assert!((20..40).contains(&opened.count()));
    assert!(!subkeys(&snapshot, r"\Registry").is_empty());
}

#[test]
fn lengths_that_lie_cost_no_more_than_the_key_they_are_about() {
    let lies: [fn(usize) -> usize; 6] = [
        |_| 0,
        |_| 3,
        |length| length / 2,
        |length| length + 100_000,
        |_| u32::MAX as usize,
        |_| usize::MAX,
    ];
    let is_enumeration = |run: &Run<Status>| {
        let calls = run.calls.iter();
        calls
            .filter(|call| call.name.starts_with("NtEnumerateKey"))
            .count()
    };
    for name in ["NtEnumerateKey", "NtEnumerateValueKey", "NtQueryKey"] {
        for lie in lies {
            let machine = furnished().on(move |call| call.name == name, Fault::Length(lie));
            let run = boot(machine);
            assert_eq!(status(&run), Status::SUCCESS);
            run.assert_clean();
            assert!(is_enumeration(&run) > 1);
            let snapshot = only_snapshot(&run.machine);
            let outcomes = snapshot.outcomes(Family::REGISTRY);
            assert_eq!(outcomes.len(), 1, "{outcomes:?}");
        }
    }
}

#[test]
fn a_machine_of_700_services_takes_calls_in_the_thousands() {
    let mut machine = furnished();
    for number in 0..700 {
        let path = format!(r"{SERVICES}\service{number}");
        for name in ["Type", "Start", "ErrorControl", "Tag"] {
            machine.set_value(&path, name, (REG_DWORD, vec![0; 4]));
        }
        for name in [
            "ImagePath",
            "DisplayName",
            "Group",
            "ObjectName",
            "Description",
        ] {
            machine.set_value(&path, name, (REG_SZ, utf16("some text of some length")));
        }
        if number % 20 == 0 {
            let instances = format!(r"{path}\Instances");
            machine.set_value(&instances, "DefaultInstance", (REG_SZ, utf16("x")));
            let instance = format!(r"{instances}\x");
            machine.set_value(&instance, "Altitude", (REG_SZ, utf16("370000")));
        }
    }
    let (snapshot, run) = capture(machine);
    let without = capture(furnished().with_command_line("bootshot skip=registry")).1;
    let calls = run.calls.len() - without.calls.len();
    let bytes = snapshot
        .sections
        .iter()
        .find(|section| section.begin.family == Family::REGISTRY)
        .map(|section| section.payload.len());
    println!("{calls} calls, {} KiB", bytes.unwrap() >> 10);
    assert!((8_000..12_000).contains(&calls), "{calls}");
    assert_eq!(snapshot.outcomes(Family::REGISTRY), [Outcome::COMPLETE]);
}
