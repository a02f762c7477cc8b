//! Well-known security identifiers by name.

use crate::decode::Sid;

const WORLD_AUTHORITY: u64 = 1;
const NT_AUTHORITY: u64 = 5;
const LABEL_AUTHORITY: u64 = 16;

/// The account's name where it is the same on every machine, else the identifier as `S-1-…`.
pub fn account(sid: &Sid) -> String {
    let name = match (sid.authority, &sid.sub_authorities[..]) {
        (WORLD_AUTHORITY, [0]) => "Everyone",
        (NT_AUTHORITY, [6]) => "NT AUTHORITY\\SERVICE",
        (NT_AUTHORITY, [7]) => "NT AUTHORITY\\ANONYMOUS LOGON",
        (NT_AUTHORITY, [11]) => "NT AUTHORITY\\Authenticated Users",
        (NT_AUTHORITY, [18]) => "NT AUTHORITY\\SYSTEM",
        (NT_AUTHORITY, [19]) => "NT AUTHORITY\\LOCAL SERVICE",
        (NT_AUTHORITY, [20]) => "NT AUTHORITY\\NETWORK SERVICE",
        (NT_AUTHORITY, [32, 544]) => "BUILTIN\\Administrators",
        (NT_AUTHORITY, [32, 545]) => "BUILTIN\\Users",
        (NT_AUTHORITY, [90, 0, session]) => return format!("Window Manager\\DWM-{session}"),
        (NT_AUTHORITY, [96, 0, session]) => return format!("Font Driver Host\\UMFD-{session}"),
        _ => return sid.to_string(),
    };
    name.to_owned()
}

/// The integrity level a mandatory label stands for.
pub fn integrity(sid: &Sid) -> String {
    let name = match (sid.authority, &sid.sub_authorities[..]) {
        (LABEL_AUTHORITY, [0x0000]) => "untrusted",
        (LABEL_AUTHORITY, [0x1000]) => "low",
        (LABEL_AUTHORITY, [0x2000]) => "medium",
        (LABEL_AUTHORITY, [0x2100]) => "medium plus",
        (LABEL_AUTHORITY, [0x3000]) => "high",
        (LABEL_AUTHORITY, [0x4000]) => "system",
        (LABEL_AUTHORITY, [0x5000]) => "protected process",
        _ => return sid.to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sid(authority: u64, sub_authorities: &[u32]) -> Sid {
        Sid {
            authority,
            sub_authorities: sub_authorities.to_vec(),
        }
    }

    #[test]
    fn well_known_accounts_have_names_and_others_their_identifier() {
        assert_eq!(account(&sid(5, &[18])), "NT AUTHORITY\\SYSTEM");
        assert_eq!(account(&sid(5, &[21, 1, 2, 3, 500])), "S-1-5-21-1-2-3-500");
        assert_eq!(integrity(&sid(16, &[0x4000])), "system");
    }
}
