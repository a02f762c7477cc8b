//! Names of machines in paths to what they share.

/// Behind these, in lower case, the name of a machine stands: devices of the network, and the link to them.
const BEFORE_SERVERS: [&str; 6] = [
    "\\device\\mup\\",
    "\\device\\lanmanredirector\\",
    "\\device\\webdavredirector\\",
    // \??\UNC\, \GLOBAL??\UNC\ and \\?\UNC\.
    "?\\unc\\",
    "\\\\.\\unc\\",
    "\\dosdevices\\unc\\",
];

/// What a path begins with that names its machine first, and what can stand before that in a text.
const LEADING: &str = "\\\\";
const BEFORE_PATHS: [char; 10] = ['\0', ' ', '\t', '"', '\'', '=', ';', ',', '<', '>'];

/// Parts such as `;LanmanRedirector` and `;Z:00000000000a53f1` before the name, at the most.
const MOST_OF_REDIRECTORS: usize = 4;

/// What can stand behind the name: the share, the end, or how WebDAV asks (`@SSL`).
const BEHIND_SERVERS: [char; 9] = ['\\', '/', '\0', ' ', '\t', '"', ';', ',', '@'];

/// The machines that are named in paths in a text: as they stand there, and of a name with a domain its first part too.
pub(super) fn servers(text: &str) -> Vec<&str> {
    let lower = text.to_ascii_lowercase();
    let behind_devices = BEFORE_SERVERS.iter().flat_map(|before| {
        let found = lower.match_indices(before);
        found.map(|(place, before)| place + before.len())
    });
    let leads = |place: &usize| {
        text[..*place]
            .chars()
            .next_back()
            .is_none_or(|before| BEFORE_PATHS.contains(&before))
    };
    let leading = text.match_indices(LEADING).map(|(place, _)| place);
    let behind_leading = leading.filter(leads).map(|place| place + LEADING.len());
    let mut found = Vec::new();
    for place in behind_devices.chain(behind_leading) {
        let Some(server) = text.get(place..).and_then(server) else {
            continue;
        };
        found.push(server);
        if let Some((host, _)) = server.split_once('.')
            && is_name(host)
        {
            found.push(host);
        }
    }
    found
}

/// The name at the start of a text, behind what says by which redirector and drive it is reached.
fn server(mut text: &str) -> Option<&str> {
    for _ in 0..MOST_OF_REDIRECTORS {
        let Some(redirector) = text.strip_prefix(';') else {
            break;
        };
        (_, text) = redirector.split_once('\\')?;
    }
    let is_of_names = |character: char| character.is_alphanumeric() || "-_.$".contains(character);
    let length = text.find(|character| !is_of_names(character));
    let (server, behind) = text.split_at(length.unwrap_or(text.len()));
    let ends = behind.is_empty() || behind.starts_with(BEHIND_SERVERS);
    (ends && (is_name(server) || is_address(server))).then_some(server)
}

/// A single letter would be found in numbers, and a number is no name.
fn is_name(part: &str) -> bool {
    part.len() > 1 && part.contains(char::is_alphabetic)
}

fn is_address(part: &str) -> bool {
    part.parse::<std::net::Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::servers;

    #[test]
    fn machines_are_known_by_where_they_stand_in_paths() {
        for (text, expected) in [
            ("\\Device\\Mup\\FILESRV01\\homes", &["FILESRV01"][..]),
            ("\\device\\MUP\\files\\a b", &["files"]),
            (
                "\\Device\\Mup\\;LanmanRedirector\\;Z:00000000000a53f1\\files\\a",
                &["files"],
            ),
            (
                "\\Device\\LanmanRedirector\\;Z:00000000000a53f1\\files\\a",
                &["files"],
            ),
            (
                "\\Device\\Mup\\;WebDavRedirector\\files@SSL@8443\\DavWWWRoot",
                &["files"],
            ),
            ("\\??\\UNC\\files\\a", &["files"]),
            ("\\GLOBAL??\\UNC\\files", &["files"]),
            ("\\\\?\\UNC\\files\\a", &["files"]),
            ("\\\\files\\a", &["files"]),
            (
                "\"\\\\files\\a b\\c.exe\" --to=\\\\other",
                &["files", "other"],
            ),
            (
                "C:\\a;\\\\files\\a;D:\\b\0\\\\other\\b",
                &["files", "other"],
            ),
            (
                "\\\\files.corp.example\\a",
                &["files.corp.example", "files"],
            ),
            ("\\\\10.1.2.3\\a", &["10.1.2.3"]),
            // No machine.
            ("\\Device\\Mup", &[]),
            ("\\Device\\Mup\\", &[]),
            ("\\Device\\Mup\\;LanmanRedirector", &[]),
            ("\\Device\\HarddiskVolume2\\a", &[]),
            ("\\??\\C:\\UNC\\a", &[]),
            ("\\\\?\\C:\\a", &[]),
            ("C:\\\\a\\\\b", &[]),
            ("http:\\\\a", &[]),
            ("\\\\w+\\d", &[]),
            ("\\\\x\\a", &[]),
            ("\\\\\\\\", &[]),
            ("\\\\.\\pipe\\a", &[]),
            ("\\\\..\\a", &[]),
        ] {
            assert_eq!(servers(text), expected, "{text:?}");
        }
    }
}
