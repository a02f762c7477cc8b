//! How to undo an installation when the system does not start any more.

use std::path::Path;

use crate::entry::Entry;
use crate::lists::Current;

/// The Session Manager's key in a hive loaded as `HKLM\offline`.
const OFFLINE_KEY: &str = r#""HKLM\offline\ControlSet001\Control\Session Manager""#;

/// What to type at a recovery console to get rid of `image` and to put `lists` back to the entries of others.
pub fn instructions<'a>(
    image: &Path,
    windows: &Path,
    lists: impl Iterator<Item = &'a Current>,
) -> String {
    let windows = windows.display();
    let mut lines = vec![
        "If this system does not start any more: at the command prompt of its recovery environment, where the drive may"
            .to_owned(),
        "have another letter, this is enough, for smss skips an image that is not there:".into(),
        format!("    del {}", image.display()),
        "This takes the registration out too; use the control set that Select\\Default names:".into(),
        format!(r"    reg load HKLM\offline {windows}\System32\config\SYSTEM"),
        r"    reg query HKLM\offline\Select /v Default".into(),
    ];
    lines.extend(lists.map(|current| format!("    {}", command(current))));
    lines.push(r"    reg unload HKLM\offline".into());
    lines.join("\n")
}

/// The `reg` command that leaves the entries of others in a list.
fn command(current: &Current) -> String {
    let name = current.list.value_name();
    let others: Vec<_> = current
        .entries()
        .iter()
        .filter(|entry| !entry.is_ours())
        .map(Entry::to_string)
        .collect();
    if others.is_empty() && !current.list.exists_by_default() {
        return format!("reg delete {OFFLINE_KEY} /v {name} /f");
    }
    let text = others.concat();
    let separator = ['#', ';', '~', '!', '@', '$']
        .into_iter()
        .find(|separator| !text.contains(*separator))
        .unwrap_or('#');
    let data = others.join(&separator.to_string()).replace('"', "\\\"");
    format!(r#"reg add {OFFLINE_KEY} /v {name} /t REG_MULTI_SZ /s {separator} /d "{data}" /f"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lists::List;
    use crate::system::tests::FakeSystem;

    fn command_for(list: List, entries: &[&str]) -> String {
        let system = FakeSystem::default();
        system.plant(list, entries);
        command(&Current::read(&system, list).unwrap())
    }

    #[test]
    fn the_entries_of_others_are_written_back() {
        assert_eq!(
            command_for(
                List::BootExecute,
                &["autocheck autochk *", "bootshot", "a #"]
            ),
            r#"reg add "HKLM\offline\ControlSet001\Control\Session Manager" /v BootExecute /t REG_MULTI_SZ /s ; /d "autocheck autochk *;a #" /f"#
        );
    }

    #[test]
    fn a_list_that_windows_does_not_have_is_deleted() {
        assert_eq!(
            command_for(List::BootExecuteNoPnpSync, &["bootshot"]),
            r#"reg delete "HKLM\offline\ControlSet001\Control\Session Manager" /v BootExecuteNoPnpSync /f"#
        );
        assert!(command_for(List::SetupExecute, &["bootshot"]).ends_with(r#"/s # /d "" /f"#));
    }
}
