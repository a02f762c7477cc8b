//! Instances of file system minifilters, by altitude.

use std::cmp::Ordering;

use serde::Serialize;

use super::super::Reading;
use super::CURRENT_CONTROL_SET;
use crate::snapshot::Snapshot;
use crate::value::Hex;

/// An instance of a minifilter: where between programs and file system it stands.
#[derive(Clone, Debug, Serialize)]
pub struct MinifilterInstance {
    /// Its service.
    pub service: String,
    /// Its name.
    pub instance: String,
    /// A decimal number of any length; the highest comes first on the way down.
    pub altitude: Option<String>,
    /// The load order group that this altitude belongs to, as Microsoft gives them out.
    pub group: Option<&'static str>,
    /// 1: not attached by itself, 2: not attached when asked to.
    pub flags: Option<Hex>,
    /// Whether it is the service's default instance.
    pub default: Option<bool>,
}

/// The groups with the first and the last whole number of their altitudes.
///
/// Source: "Load order groups and altitudes for minifilter drivers", Microsoft.
const GROUPS: &[(u32, u32, &str)] = &[
    (420_000, 429_999, "Filter"),
    (400_000, 409_999, "FSFilter Top"),
    (360_000, 389_999, "FSFilter Activity Monitor"),
    (340_000, 349_999, "FSFilter Undelete"),
    (320_000, 329_999, "FSFilter Anti-Virus"),
    (300_000, 309_999, "FSFilter Replication"),
    (280_000, 289_999, "FSFilter Continuous Backup"),
    (260_000, 269_999, "FSFilter Content Screener"),
    (240_000, 249_999, "FSFilter Quota Management"),
    (220_000, 229_999, "FSFilter System Recovery"),
    (200_000, 209_999, "FSFilter Cluster File System"),
    (180_000, 189_999, "FSFilter HSM"),
    (170_000, 174_999, "FSFilter Imaging"),
    (160_000, 169_999, "FSFilter Compression"),
    (140_000, 149_999, "FSFilter Encryption"),
    (130_000, 139_999, "FSFilter Virtualization"),
    (120_000, 129_999, "FSFilter Physical Quota Management"),
    (100_000, 109_999, "FSFilter Open File"),
    (80_000, 89_999, "FSFilter Security Enhancer"),
    (60_000, 69_999, "FSFilter Copy Protection"),
    (40_000, 49_999, "FSFilter Bottom"),
    (20_000, 29_999, "FSFilter System"),
];

/// The group an altitude belongs to; none between the groups, and for what is no number.
pub fn altitude_group(altitude: &str) -> Option<&'static str> {
    let (whole, _) = parts(altitude)?;
    let whole: u32 = whole.parse().ok()?;
    GROUPS
        .iter()
        .find(|(first, last, _)| (*first..=*last).contains(&whole))
        .map(|(.., name)| *name)
}

/// Compares altitudes as the numbers they are, of whatever length; what is no number comes before all that are.
pub fn compare_altitudes(one: &str, other: &str) -> Ordering {
    match (parts(one), parts(other)) {
        (Some(one), Some(other)) => {
            let length = one.0.len().cmp(&other.0.len());
            length.then_with(|| one.cmp(&other))
        }
        (one, other) => one.is_some().cmp(&other.is_some()),
    }
}

/// The digits before the point without leading, and those behind it without trailing zeros.
fn parts(altitude: &str) -> Option<(&str, &str)> {
    let altitude = altitude.trim();
    let (whole, fraction) = altitude.split_once('.').unwrap_or((altitude, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (!whole.is_empty() && digits(whole) && digits(fraction)).then(|| {
        (
            whole.trim_start_matches('0'),
            fraction.trim_end_matches('0'),
        )
    })
}

impl Snapshot<'_> {
    /// The instances of minifilters in the service entries, the highest altitude first.
    pub fn minifilters(&self) -> Reading<Vec<MinifilterInstance>> {
        Reading::gather(|problems| {
            let registry = self.read_registry(problems);
            let services = format!("{CURRENT_CONTROL_SET}\\Services");
            // Behind the path itself, which begins with a backslash.
            let depth = services.split('\\').count();
            let mut instances: Vec<_> = registry
                .below(&services)
                .filter_map(|(rest, key)| {
                    // `<service>\Instances\<instance>`, or with `Parameters` in between since Windows 11 24H2.
                    let (parent, _) = rest.rsplit_once('\\')?;
                    let (_, between) = parent.split_once('\\')?;
                    if !matches!(between, "instances" | "parameters\\instances") {
                        return None;
                    }
                    let (parent, instance) = key.path.rsplit_once('\\')?;
                    let default = registry
                        .value(parent, "DefaultInstance")
                        .and_then(|value| value.text());
                    let altitude = key.text("Altitude");
                    Some(MinifilterInstance {
                        service: key.path.split('\\').nth(depth)?.to_owned(),
                        instance: instance.to_owned(),
                        group: altitude.as_deref().and_then(altitude_group),
                        altitude,
                        flags: key.number("Flags").map(|flags| Hex(flags.into())),
                        default: default.map(|name| name.eq_ignore_ascii_case(instance)),
                    })
                })
                .collect();
            instances.sort_by(|one, other| {
                let of =
                    |instance: &MinifilterInstance| instance.altitude.clone().unwrap_or_default();
                compare_altitudes(&of(other), &of(one))
            });
            instances
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn altitudes_are_compared_as_numbers_of_any_length() {
        let mut altitudes = [
            "40500",
            "385100",
            "385100.50",
            "385100.5",
            "0385101",
            "385100.49999",
        ];
        altitudes.sort_by(|one, other| compare_altitudes(other, one));
        assert_eq!(
            altitudes,
            [
                "0385101",
                "385100.50",
                "385100.5",
                "385100.49999",
                "385100",
                "40500"
            ]
        );
        assert_eq!(compare_altitudes("x", "1"), Ordering::Less);
    }

    #[test]
    fn an_altitude_belongs_to_the_group_of_its_whole_number() {
        assert_eq!(altitude_group("328010"), Some("FSFilter Anti-Virus"));
        assert_eq!(altitude_group("329999.9"), Some("FSFilter Anti-Virus"));
        assert_eq!(altitude_group("330000"), None, "between the groups");
        assert_eq!(altitude_group("99999999999999999999"), None);
        assert_eq!(altitude_group(""), None);
    }
}
