//! How to undo an installation when the system does not start any more: commands for its recovery environment.

use std::path::Path;

use crate::entry::Entry;
use crate::image::FILE_NAME;
use crate::lists::Current;
use crate::nt_path;
use crate::snapshots::{KILL_SWITCH, directories};

/// What the SYSTEM hive is loaded as.
const LOADED: &str = r"HKLM\bootshot-undo";

/// Characters that may stand between the entries of a list on a command line; `cmd` leaves them alone in quotes.
const SEPARATORS: [char; 6] = ['#', ';', '~', '@', '$', '+'];

/// A command file that removes the image of the installation in `windows`, sets the kill switch, and puts those of
/// `lists` that have entries of ours back to the entries of others.
pub fn script(windows: &Path, lists: &[Current]) -> String {
    let folder = in_command_file(&without_volume(windows));
    let mut lines = vec![
        "@echo off".to_owned(),
        "rem Takes bootshot out of a Windows that does not start. For the command prompt of the recovery".into(),
        "rem environment: save it as undo.cmd and run \"undo C:\". The volume may have another letter there: it is".into(),
        format!("rem the one for which \"dir C:{folder}\" finds something."),
        "set VOLUME=%~1".into(),
        "if \"%VOLUME%\"==\"\" set VOLUME=C:".into(),
        format!("set \"WINDOWS=%VOLUME%{folder}\""),
        String::new(),
        "rem 1. This is enough: the Session Manager skips an entry whose image is not there.".into(),
        format!(r#"del "%WINDOWS%\System32\{FILE_NAME}""#),
        String::new(),
        "rem 2. So is this: while there is a file of this name, bootshot does nothing at boot.".into(),
    ];
    for directory in directories(lists) {
        let directory = in_command_file(&directory);
        let directory = match nt_path::below_system_root(&directory) {
            Some(below) => format!("%WINDOWS%{below}"),
            None => nt_path::to_dos(&directory, windows),
        };
        lines.push(format!(
            r#"if exist "{directory}" type nul > "{directory}\{KILL_SWITCH}""#
        ));
    }
    lines.push(String::new());
    if lists.iter().all(|current| current.ours().next().is_none()) {
        lines.push("rem No list of the Session Manager has an entry of bootshot.".into());
        return lines.join("\n");
    }
    lines.extend([
        "rem 3. This takes the entries out as well, and writes back those of others as they stood when this was".into(),
        "rem printed. In the control set that the next start will use: Select\\Default names it.".into(),
        format!(r#"reg load {LOADED} "%WINDOWS%\System32\config\SYSTEM" || exit /b 1"#),
        "set NUMBER=".into(),
        format!(
            r#"for /f "tokens=3" %%n in ('reg query {LOADED}\Select /v Default') do set /a NUMBER=%%n"#
        ),
        format!("if not defined NUMBER (reg unload {LOADED} & exit /b 1)"),
        "set NUMBER=00%NUMBER%".into(),
        format!(
            r"set KEY={LOADED}\ControlSet%NUMBER:~-3%\Control\Session Manager"
        ),
    ]);
    lines.extend(lists.iter().filter_map(command));
    lines.push(format!("reg unload {LOADED}"));
    lines.join("\n")
}

/// Where the Windows directory is on its volume, as Windows spells it.
fn without_volume(windows: &Path) -> String {
    let text = windows.display().to_string();
    match text.as_bytes() {
        [letter, b':', ..] if letter.is_ascii_alphabetic() => text[2..].to_owned(),
        // As this host spells it: from the volume's root.
        _ => {
            let name = windows.file_name().unwrap_or("Windows".as_ref());
            format!("\\{}", name.display())
        }
    }
}

/// Text as it stands in a command file, where percent signs begin and end variables.
fn in_command_file(text: &str) -> String {
    text.replace('%', "%%")
}

/// The `reg` command that leaves the entries of others in a list; `None` when there are only such.
fn command(current: &Current) -> Option<String> {
    current.ours().next()?;
    let name = current.list.value_name();
    let others: Vec<_> = current
        .entries()
        .iter()
        .filter(|entry| !entry.is_ours())
        .map(Entry::to_string)
        .collect();
    if others.is_empty() && !current.list.exists_by_default() {
        return Some(format!(r#"reg delete "%KEY%" /v {name} /f"#));
    }
    let text = others.concat();
    let is_plain = text.chars().all(|c| matches!(c, ' '..='~') && c != '"');
    let separator = SEPARATORS
        .into_iter()
        .find(|separator| is_plain && !text.contains(*separator));
    Some(match separator {
        Some(separator) => {
            let mut data = in_command_file(&others.join(&separator.to_string()));
            // Behind a backslash a quotation mark would be a part of the text.
            let backslashes = data.len() - data.trim_end_matches('\\').len();
            data.push_str(&"\\".repeat(backslashes));
            format!(r#"reg add "%KEY%" /v {name} /t REG_MULTI_SZ /s {separator} /d "{data}" /f"#)
        }
        None => format!(
            "rem {name} has to stay as it is: it holds characters that a command file cannot. Step 1 is enough for it."
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lists::List;
    use crate::system::tests::FakeSystem;

    fn current(list: List, entries: &[&str]) -> Current {
        let system = FakeSystem::default();
        system.plant(list, entries);
        Current::read(&system, list).unwrap()
    }

    fn command_for(list: List, entries: &[&str]) -> String {
        command(&current(list, entries)).expect("an entry of ours")
    }

    #[test]
    fn the_script_for_a_usual_list() {
        let lists = [
            current(
                List::BootExecute,
                &["autocheck autochk *", "bootshot phase=bootexecute keep=2"],
            ),
            current(List::SetupExecute, &["other"]),
        ];
        let expected = r#"@echo off
rem Takes bootshot out of a Windows that does not start. For the command prompt of the recovery
rem environment: save it as undo.cmd and run "undo C:". The volume may have another letter there: it is
rem the one for which "dir C:\Windows" finds something.
set VOLUME=%~1
if "%VOLUME%"=="" set VOLUME=C:
set "WINDOWS=%VOLUME%\Windows"

rem 1. This is enough: the Session Manager skips an entry whose image is not there.
del "%WINDOWS%\System32\bootshot.exe"

rem 2. So is this: while there is a file of this name, bootshot does nothing at boot.
if exist "%WINDOWS%\bootshot" type nul > "%WINDOWS%\bootshot\off"

rem 3. This takes the entries out as well, and writes back those of others as they stood when this was
rem printed. In the control set that the next start will use: Select\Default names it.
reg load HKLM\bootshot-undo "%WINDOWS%\System32\config\SYSTEM" || exit /b 1
set NUMBER=
for /f "tokens=3" %%n in ('reg query HKLM\bootshot-undo\Select /v Default') do set /a NUMBER=%%n
if not defined NUMBER (reg unload HKLM\bootshot-undo & exit /b 1)
set NUMBER=00%NUMBER%
set KEY=HKLM\bootshot-undo\ControlSet%NUMBER:~-3%\Control\Session Manager
reg add "%KEY%" /v BootExecute /t REG_MULTI_SZ /s # /d "autocheck autochk *" /f
reg unload HKLM\bootshot-undo"#;
        assert_eq!(script(Path::new(r"C:\Windows"), &lists), expected);
        for here in ["/mnt/Windows", "/mnt/a:b/Windows"] {
            assert_eq!(script(Path::new(here), &lists), expected);
        }
    }

    #[test]
    fn without_an_entry_of_ours_the_registry_is_not_touched() {
        let lists = [current(List::BootExecute, &["a"])];
        let script = script(Path::new(r"C:\Windows"), &lists);
        assert!(script.contains("bootshot.exe"), "{script}");
        assert!(!script.contains("reg "), "{script}");
    }

    #[test]
    fn every_directory_gets_its_kill_switch() {
        for (directory, written) in [("shots", "shots"), ("100%", "100%%")] {
            let entry = format!(r"bootshot dir=\??\D:\{directory}");
            let lists = [current(List::BootExecute, &[&entry])];
            let script = script(Path::new(r"C:\Windows"), &lists);
            let line = format!(r#"if exist "D:\{written}" type nul > "D:\{written}\off""#);
            assert!(script.contains(&line), "{script}");
        }
    }

    #[test]
    fn the_entries_of_others_are_written_back() {
        assert_eq!(
            command_for(
                List::BootExecute,
                &["autocheck autochk *", "bootshot", "a # 5%"]
            ),
            r#"reg add "%KEY%" /v BootExecute /t REG_MULTI_SZ /s ; /d "autocheck autochk *;a # 5%%" /f"#
        );
        assert_eq!(
            command_for(List::BootExecute, &[r"a C:\x\ b", "bootshot", r"c C:\y\"]),
            r#"reg add "%KEY%" /v BootExecute /t REG_MULTI_SZ /s # /d "a C:\x\ b#c C:\y\\" /f"#
        );
    }

    #[test]
    fn a_list_that_windows_does_not_have_is_deleted() {
        assert_eq!(
            command_for(List::BootExecuteNoPnpSync, &["bootshot"]),
            r#"reg delete "%KEY%" /v BootExecuteNoPnpSync /f"#
        );
        assert!(command_for(List::SetupExecute, &["bootshot"]).ends_with(r#"/s # /d "" /f"#));
    }

    #[test]
    fn a_list_that_a_command_file_cannot_hold_is_left_as_it_is() {
        for foreign in ["grün", "a \"b\"", "#;~@$+"] {
            let command = command_for(List::BootExecute, &[foreign, "bootshot"]);
            assert!(command.starts_with("rem BootExecute"), "{command}");
        }
    }
}
