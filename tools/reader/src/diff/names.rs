//! Names with the parts taken out that are new in every boot.
//!
//! Within one boot names are compared as they are, without regard to case.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// What stands for a part that is new in every boot.
const PLACE: &str = "#";

/// A rule that takes a volatile part out of a name. Gives none when there is none.
pub(super) type Form = fn(&str, &BTreeSet<u64>) -> Option<String>;

/// The forms that are in force on one side.
#[derive(Clone, Debug, Default)]
pub(super) struct Forms {
    /// By the name of their rule, in the order in which they are applied.
    pub forms: Vec<(&'static str, Form)>,
    /// Ids of the side's processes.
    pub process_ids: BTreeSet<u64>,
}

impl Forms {
    /// The name as it is compared.
    pub(super) fn normal(&self, name: &str) -> String {
        let mut name = name.to_lowercase();
        for (_, form) in &self.forms {
            if let Some(changed) = form(&name, &self.process_ids) {
                name = changed;
            }
        }
        name
    }
}

/// The rule that makes two names the same; none where they are without any, or with none.
pub(super) fn rule_between(
    (one, forms): (&str, &Forms),
    (other, other_forms): (&str, &Forms),
) -> Option<&'static str> {
    let (mut one, mut other) = (one.to_lowercase(), other.to_lowercase());
    if one == other {
        return None;
    }
    for ((rule, form), (_, other_form)) in forms.forms.iter().zip(&other_forms.forms) {
        if let Some(changed) = form(&one, &forms.process_ids) {
            one = changed;
        }
        if let Some(changed) = other_form(&other, &other_forms.process_ids) {
            other = changed;
        }
        if one == other {
            return Some(rule);
        }
    }
    None
}

/// Rewrites the components of a path; none when nothing changes.
fn by_component(name: &str, rewrite: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut changed = false;
    let parts: Vec<Cow<'_, str>> = name
        .split('\\')
        .map(|part| match rewrite(part) {
            Some(new) => {
                changed = true;
                Cow::Owned(new)
            }
            None => Cow::Borrowed(part),
        })
        .collect();
    changed.then(|| parts.join("\\"))
}

/// Takes out the words, runs of letters and digits, that are volatile; none when nothing changes.
fn without_words(text: &str, is_volatile: impl Fn(&str) -> bool) -> Option<String> {
    let mut made = String::with_capacity(text.len());
    let (mut rest, mut changed) = (text, false);
    while !rest.is_empty() {
        let length = rest
            .find(|character: char| !character.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (word, behind) = rest.split_at(length);
        if is_volatile(word) {
            made.push_str(PLACE);
            changed = true;
        } else {
            made.push_str(word);
        }
        let separator = behind.chars().next().map_or(0, char::len_utf8);
        made.push_str(&behind[..separator]);
        rest = &behind[separator..];
    }
    changed.then_some(made)
}

fn is_hexadecimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `\Sessions\1\…`: every session but that of the services is numbered as people log on.
pub(super) fn session_numbers(name: &str, _: &BTreeSet<u64>) -> Option<String> {
    let rest = name.strip_prefix("\\sessions\\")?;
    let (prefix, rest) = match rest.strip_prefix("bnolinks\\") {
        Some(rest) => ("\\sessions\\bnolinks\\", rest),
        None => ("\\sessions\\", rest),
    };
    let (number, behind) = match rest.find('\\') {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && number != "0").then(|| format!("{prefix}{PLACE}{behind}"))
}

/// Logon sessions that are the same in every boot: anonymous, local service, network service, system (`ntifs.h`,
/// `SYSTEM_LUID` and its like).
const WELL_KNOWN_LOGONS: [u64; 4] = [0x3E6, 0x3E5, 0x3E4, 0x3E7];

/// `\Sessions\0\DosDevices\00000000-0001a2b3`, `Service-0x0-1a2b3$`: the number of a logon session, in two halves.
pub(super) fn logon_ids(name: &str, _: &BTreeSet<u64>) -> Option<String> {
    let volatile = |high: &str, low: &str| {
        is_hexadecimal(high)
            && is_hexadecimal(low)
            && match (u64::from_str_radix(high, 16), u64::from_str_radix(low, 16)) {
                (Ok(high), Ok(low)) => high != 0 || !WELL_KNOWN_LOGONS.contains(&low),
                _ => false,
            }
    };
    by_component(name, |part| {
        if let Some((high, low)) = part.split_once('-')
            && high.len() == 8
            && low.len() == 8
            && volatile(high, low)
        {
            return Some(PLACE.to_owned());
        }
        let (high, low) = part
            .strip_prefix("service-0x")?
            .strip_suffix('$')?
            .split_once('-')?;
        volatile(high, low).then(|| format!("service-{PLACE}$"))
    })
}

/// Whether this is `{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}`.
fn is_guid(text: &str) -> bool {
    let Some(inside) = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
    else {
        return false;
    };
    let mut lengths = [8, 4, 4, 4, 12].into_iter();
    inside
        .split('-')
        .all(|part| lengths.next() == Some(part.len()) && is_hexadecimal(part))
        && lengths.next().is_none()
}

/// GUIDs in the instance part of device names and in names of objects that programs make. What stays: the GUID at the end of
/// a device name, which is the interface class; that of a volume; and paths outside of these places.
pub(super) fn instance_guids(name: &str, _: &BTreeSet<u64>) -> Option<String> {
    let of_programs = name.contains("\\basenamedobjects\\") || name.starts_with("\\rpc control\\");
    by_component(name, |part| {
        let last = part.rfind('{')?;
        if !of_programs && !part.contains('#') {
            return None;
        }
        let mut made = String::with_capacity(part.len());
        let (mut rest, mut changed) = (part, false);
        while let Some(start) = rest.find('{') {
            let (before, from) = rest.split_at(start);
            made.push_str(before);
            let guid = from.get(..38).filter(|guid| is_guid(guid));
            let is_class = !of_programs && part.len() - from.len() == last && before.ends_with('#');
            match guid {
                Some(guid) if !is_class => {
                    made.push_str(PLACE);
                    rest = &from[guid.len()..];
                    changed = true;
                }
                _ => {
                    made.push('{');
                    rest = &from[1..];
                }
            }
        }
        made.push_str(rest);
        changed.then_some(made)
    })
}

/// Numbers in the last component that are the id of a process of the same snapshot: `…_1234`, `sm0:1234:304:…`. Those of the
/// idle process and of System are the same in every boot.
pub(super) fn process_ids(name: &str, ids: &BTreeSet<u64>) -> Option<String> {
    let (directory, last) = name.rsplit_once('\\')?;
    let last = without_words(last, |word| {
        let number = match word.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => word.parse().ok(),
        };
        number.is_some_and(|number| number > 4 && ids.contains(&number))
    })?;
    Some(format!("{directory}\\{last}"))
}

/// `LRPC-d8a23f02ed2c1f2fa6`, `OLE1D2F…`: endpoints of RPC and COM that draw their names.
pub(super) fn endpoints(name: &str, _: &BTreeSet<u64>) -> Option<String> {
    /// Digits from which on the rest of such a name was drawn.
    const LEAST_DIGITS: usize = 8;
    by_component(name, |part| {
        ["lrpc-", "ole"].into_iter().find_map(|prefix| {
            let digits = part.strip_prefix(prefix)?;
            (digits.len() >= LEAST_DIGITS && is_hexadecimal(digits))
                .then(|| format!("{prefix}{PLACE}"))
        })
    })
}

/// `\Device\00000053`: devices without a name of their own are numbered as they are made.
pub(super) fn device_numbers(name: &str, _: &BTreeSet<u64>) -> Option<String> {
    let rest = name.strip_prefix("\\device\\")?;
    let (number, behind) = match rest.find('\\') {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    (number.len() == 8 && is_hexadecimal(number)).then(|| format!("\\device\\{PLACE}{behind}"))
}

/// `\Device\HID#0000000000362290&…`: words of 16 hexadecimal digits, which are addresses or drawn.
pub(super) fn addresses(name: &str, _: &BTreeSet<u64>) -> Option<String> {
    const DIGITS: usize = 16;
    without_words(name, |word| word.len() == DIGITS && is_hexadecimal(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formed(form: Form, name: &str) -> Option<String> {
        form(&name.to_lowercase(), &BTreeSet::from([4, 300, 1234]))
    }

    #[test]
    fn sessions_lose_their_number_but_not_that_of_the_services() {
        let formed = |name| formed(session_numbers, name);
        let one = formed("\\Sessions\\1\\BaseNamedObjects\\x");
        assert_eq!(one.as_deref(), Some("\\sessions\\#\\basenamedobjects\\x"));
        assert_eq!(formed("\\Sessions\\17").as_deref(), Some("\\sessions\\#"));
        assert_eq!(
            formed("\\Sessions\\BNOLINKS\\2").as_deref(),
            Some("\\sessions\\bnolinks\\#")
        );
        assert_eq!(formed("\\Sessions\\0\\DosDevices"), None);
        assert_eq!(formed("\\Other\\1\\x"), None);
    }

    #[test]
    fn logon_sessions_lose_their_id_but_well_known_ones_do_not() {
        let formed = |name| formed(logon_ids, name);
        assert_eq!(
            formed("\\Sessions\\0\\DosDevices\\00000000-0001a2b3").as_deref(),
            Some("\\sessions\\0\\dosdevices\\#")
        );
        assert_eq!(formed("\\Sessions\\0\\DosDevices\\00000000-000003e7"), None);
        assert_eq!(
            formed("\\Windows\\WindowStations\\Service-0x0-1a2b3$").as_deref(),
            Some("\\windows\\windowstations\\service-#$")
        );
        assert_eq!(formed("\\X\\Service-0x0-3e4$"), None);
        assert_eq!(formed("\\X\\notahexa-00000001"), None);
    }

    #[test]
    fn guids_of_instances_go_and_those_of_classes_and_volumes_stay() {
        const A: &str = "{01234567-89ab-cdef-0123-456789abcdef}";
        let formed = |name: String| formed(instance_guids, &name);
        assert_eq!(
            formed(format!("\\GLOBAL??\\SWD#X#{A}#{A}")),
            Some(format!("\\global??\\swd#x###{A}"))
        );
        assert_eq!(formed(format!("\\GLOBAL??\\ROOT#X#0000#{A}")), None);
        assert_eq!(formed(format!("\\GLOBAL??\\Volume{A}")), None);
        assert_eq!(
            formed(format!("\\BaseNamedObjects\\made-{A}")).as_deref(),
            Some("\\basenamedobjects\\made-#")
        );
        assert_eq!(formed("\\BaseNamedObjects\\{no guid}".to_owned()), None);
    }

    #[test]
    fn ids_of_processes_that_are_there_are_taken_out_of_names() {
        let formed = |name| formed(process_ids, name);
        assert_eq!(
            formed("\\BaseNamedObjects\\Lock_1234").as_deref(),
            Some("\\basenamedobjects\\lock_#")
        );
        assert_eq!(
            formed("\\BaseNamedObjects\\SM0:1234:304:WilStaging_02").as_deref(),
            Some("\\basenamedobjects\\sm0:#:304:wilstaging_02")
        );
        assert_eq!(
            formed("\\X\\at-0x4d2").as_deref(),
            Some("\\x\\at-#"),
            "in hexadecimal"
        );
        assert_eq!(formed("\\BaseNamedObjects\\Lock_1236"), None, "no process");
        assert_eq!(formed("\\X\\Lock_4"), None, "System");
        assert_eq!(formed("\\1234\\x"), None, "the last component only");
    }

    #[test]
    fn drawn_endpoints_and_numbered_devices_lose_what_was_drawn() {
        assert_eq!(
            formed(endpoints, "\\RPC Control\\LRPC-d8a23f02ed2c1f2fa6").as_deref(),
            Some("\\rpc control\\lrpc-#")
        );
        assert_eq!(formed(endpoints, "\\RPC Control\\OLEaut"), None);
        assert_eq!(
            formed(device_numbers, "\\Device\\00000053").as_deref(),
            Some("\\device\\#")
        );
        assert_eq!(formed(device_numbers, "\\Device\\HarddiskVolume3"), None);
    }

    #[test]
    fn addresses_in_names_tell_nothing() {
        assert_eq!(
            formed(addresses, "\\Device\\HID#0000000000362290&000000000034F8A0").as_deref(),
            Some("\\device\\hid##&#")
        );
        assert_eq!(formed(addresses, "\\Device\\X#12345678"), None);
        assert_eq!(
            formed(addresses, "\\X\\00000000000000000"),
            None,
            "17 digits"
        );
    }

    #[test]
    fn the_rule_that_makes_two_names_one_is_told() {
        let forms = |ids: &[u64]| Forms {
            forms: vec![
                ("session-numbers", session_numbers as Form),
                ("process-ids", process_ids as Form),
            ],
            process_ids: ids.iter().copied().collect(),
        };
        let (one, other) = (forms(&[300]), forms(&[1234]));
        let between = |a, b| rule_between((a, &one), (b, &other));
        assert_eq!(
            between("\\Sessions\\1\\x", "\\Sessions\\2\\X"),
            Some("session-numbers")
        );
        assert_eq!(
            between("\\Sessions\\1\\x_300", "\\Sessions\\2\\x_1234"),
            Some("process-ids")
        );
        assert_eq!(between("\\a", "\\A"), None);
        assert_eq!(between("\\a", "\\b"), None);
    }
}
