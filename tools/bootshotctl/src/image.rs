//! The native images: which one is meant, and whether it is ours.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::{env, fs};

pub use image_gate::Machine;
use image_gate::Policy;

use crate::error::Error;
use crate::nt_path::DEFAULT_DIRECTORY;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The name our image has everywhere.
pub const FILE_NAME: &str = "bootshot.exe";

/// An executable image and where it came from.
pub struct Image {
    pub bytes: Cow<'static, [u8]>,
    /// `None`: from inside this program.
    pub path: Option<PathBuf>,
}

impl Image {
    /// Reads an image from a file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        match fs::read(path) {
            Ok(bytes) => Ok(Self {
                bytes: bytes.into(),
                path: Some(path.to_owned()),
            }),
            Err(error) => {
                Err(Error::failed(format!("cannot read {}", path.display())).because(error))
            }
        }
    }

    /// Our image for `machine`: from beside this program, else from inside it.
    pub fn find(machine: Machine) -> Result<Self, Error> {
        let program = env::current_exe()
            .map_err(|error| Error::failed("cannot find this program's folder").because(error))?;
        let folder = program.parent().unwrap_or(Path::new("."));
        Self::find_in(folder, EMBEDDED, machine)
    }

    fn find_in(
        folder: &Path,
        embedded: &[(Machine, &'static [u8])],
        machine: Machine,
    ) -> Result<Self, Error> {
        let beside = [
            folder.join(FILE_NAME),
            folder.join(folder_name(machine)).join(FILE_NAME),
        ];
        for path in &beside {
            if path.is_file() {
                let image = Self::read(path)?;
                if image
                    .machine_name()
                    .is_some_and(|name| name == machine_name(machine))
                {
                    return Ok(image);
                }
            }
        }
        if let Some((_, bytes)) = embedded.iter().find(|(of, _)| *of == machine) {
            return Ok(Self {
                bytes: (*bytes).into(),
                path: None,
            });
        }
        let [one, two] = beside.map(|path| path.display().to_string());
        Err(
            Error::failed(format!("there is no {} {FILE_NAME}", machine_name(machine)))
                .because(format!("neither {one} nor {two} is one, and this program carries none"))
                .advise("Name one with its path, or take the bootshotctl of a release: it carries all three."),
        )
    }

    /// How messages call it.
    pub fn origin(&self) -> String {
        match &self.path {
            Some(path) => path.display().to_string(),
            None => format!("the {FILE_NAME} inside this program"),
        }
    }

    /// Refuses what is not fit to be run at boot on `machine`, or is not bootshot.
    pub fn require_bootable(&self, machine: Machine) -> Result<(), Error> {
        let refusal = |cause: String| {
            Error::failed(format!("will not install {}", self.origin())).because(cause)
        };
        let findings = image_gate::check(&self.bytes, &Policy::native(Some(machine)))
            .map_err(|error| refusal(error.to_string()))?;
        if !findings.is_empty() {
            let lines: Vec<String> = findings
                .iter()
                .map(|finding| format!("\n    {finding}"))
                .collect();
            return Err(
                refusal(format!("it is not fit to run at boot{}", lines.concat())).advise(
                    "Such an image can keep this system from starting. Take the one of a release.",
                ),
            );
        }
        if !is_bootshot(&self.bytes) {
            return Err(refusal("it is not a bootshot image".into())
                .advise("This command registers bootshot, not other native programs."));
        }
        Ok(())
    }

    /// `native`, `windows_console` and so on.
    pub fn subsystem(&self) -> Result<String, Error> {
        image_gate::describe(&self.bytes)
            .map(|description| description.subsystem)
            .map_err(|error| Error::failed(format!("cannot run {}", self.origin())).because(error))
    }

    fn machine_name(&self) -> Option<String> {
        Some(image_gate::describe(&self.bytes).ok()?.machine)
    }
}

/// Whether an image is a bootshot of any version: it names the directory that all of them write to by default.
pub fn is_bootshot(image: &[u8]) -> bool {
    let text: Vec<u8> = DEFAULT_DIRECTORY
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    [&text, DEFAULT_DIRECTORY.as_bytes()]
        .iter()
        .any(|text| image.windows(text.len()).any(|window| window == *text))
}

/// The folder a release keeps the image for a machine in.
fn folder_name(machine: Machine) -> &'static str {
    match machine {
        Machine::X86 => "x86",
        Machine::X64 => "x86_64",
        Machine::Arm64 => "aarch64",
    }
}

/// The word for a machine, as [`image_gate::describe`] has it.
pub fn machine_name(machine: Machine) -> &'static str {
    match machine {
        Machine::X86 => "x86",
        Machine::X64 => "x64",
        Machine::Arm64 => "arm64",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_image::{NATIVE, ending};

    const EMBEDDED_IMAGE: &[u8] = b"embedded";

    #[test]
    fn an_image_for_this_machine_beside_the_program_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let find =
            |machine| Image::find_in(folder.path(), &[(Machine::X64, EMBEDDED_IMAGE)], machine);

        assert!(find(Machine::X64).unwrap().path.is_none());
        fs::create_dir(folder.path().join("x86_64")).unwrap();
        fs::write(
            folder.path().join("x86_64").join(FILE_NAME),
            ending(NATIVE, 0, b""),
        )
        .unwrap();
        assert!(
            find(Machine::X64)
                .unwrap()
                .path
                .unwrap()
                .ends_with("x86_64/bootshot.exe")
        );
        fs::write(folder.path().join(FILE_NAME), ending(NATIVE, 0, b"")).unwrap();
        assert_eq!(
            find(Machine::X64).unwrap().path.unwrap(),
            folder.path().join(FILE_NAME)
        );
    }

    #[test]
    fn an_image_for_another_machine_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), ending(NATIVE, 0, b"")).unwrap();
        let error = Image::find_in(folder.path(), &[], Machine::Arm64)
            .err()
            .expect("none is found");
        assert!(
            error.to_string().contains("no arm64 bootshot.exe"),
            "{error}"
        );
    }
}
