//! Every step of `install` and `uninstall` made to fail in its turn: the lists keep every foreign entry, and a second
//! run completes.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::commands::install::tests::{our_image, try_install};
use crate::commands::install::{installed_image, read_installed};
use crate::commands::uninstall::uninstall;
use crate::entry::Entry;
use crate::error::{Error, Outcome};
use crate::image::Machine;
use crate::lists::{Current, List};
use crate::multi_sz::Value;
use crate::snapshots::Directory;
use crate::system::tests::FakeSystem;
use crate::system::{Boot, Protection, System};

/// When the failing step fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// Before it has done anything.
    Before,
    /// When all is done, as when the flush at its end fails.
    After,
}

/// A system whose n-th step fails, and, as when the program is ended there, all later ones with it.
struct Failing<'a> {
    inner: &'a dyn System,
    moment: Moment,
    /// Whether what comes after the failing step fails as well.
    ended: bool,
    /// Steps until the one that fails.
    left: Cell<Option<usize>>,
    has_failed: Cell<bool>,
}

impl<'a> Failing<'a> {
    fn at(inner: &'a dyn System, step: usize, moment: Moment, ended: bool) -> Self {
        Self {
            inner,
            moment,
            ended,
            left: Cell::new(Some(step)),
            has_failed: Cell::new(false),
        }
    }

    fn step<T, E>(
        &self,
        error: impl Fn() -> E,
        does: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        match self.left.get() {
            None if self.ended => Err(error()),
            None => does(),
            Some(0) => {
                self.left.set(None);
                self.has_failed.set(true);
                if self.moment == Moment::After {
                    does()?;
                }
                Err(error())
            }
            Some(left) => {
                self.left.set(Some(left - 1));
                does()
            }
        }
    }

    fn call<T>(&self, does: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        self.step(|| Error::failed("this step is made to fail"), does)
    }

    /// Nobody may be there to read.
    fn print(&self) -> Result<(), Error> {
        self.call(|| Ok(()))
    }

    fn file<T>(&self, does: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.step(|| io::Error::other("this step is made to fail"), does)
    }
}

impl System for Failing<'_> {
    fn machine(&self) -> Machine {
        self.inner.machine()
    }

    fn windows_directory(&self) -> &Path {
        self.inner.windows_directory()
    }

    fn reach(&self, path: &Path) -> PathBuf {
        self.inner.reach(path)
    }

    fn is_elevated(&self) -> Result<bool, Error> {
        self.call(|| self.inner.is_elevated())
    }

    fn value(&self, name: &str) -> Result<Option<Value>, Error> {
        self.call(|| self.inner.value(name))
    }

    fn set_value(&self, name: &str, value: &Value) -> Result<(), Error> {
        self.call(|| self.inner.set_value(name, value))
    }

    fn remove_value(&self, name: &str) -> Result<(), Error> {
        self.call(|| self.inner.remove_value(name))
    }

    fn locate(&self, path: &str) -> Result<PathBuf, Error> {
        self.call(|| self.inner.locate(path))
    }

    fn back_up(&self, former: &[&Current], directory: &Directory) -> Result<PathBuf, Error> {
        self.call(|| self.inner.back_up(former, directory))
    }

    fn protect_directory(&self, directory: &Path) -> Result<Protection, Error> {
        self.call(|| self.inner.protect_directory(directory))
    }

    fn security(&self, directory: &Path) -> Result<Option<String>, Error> {
        self.call(|| self.inner.security(directory))
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.file(|| self.inner.write_new(path, bytes))
    }

    fn replace_file(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.file(|| self.inner.replace_file(from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.file(|| self.inner.remove_file(path))
    }

    fn boot(&self) -> Result<Option<Boot>, Error> {
        self.call(|| self.inner.boot())
    }
}

/// The lists as they stand before each case: other programs' entries everywhere, and old ones of ours in between.
const LISTS: [(List, &[&str]); 5] = [
    (List::PlatformExecute, &["platform x"]),
    (
        List::BootExecute,
        &["autocheck autochk *", "bootshot old", "a b"],
    ),
    (List::BootExecuteNoPnpSync, &["bootshot older once"]),
    (List::SetupExecute, &["c", "bootshot oldest"]),
    (List::SetupExecuteNoPnpSync, &["d"]),
];

/// Puts a machine into the state before each case: these lists, and the traces of an installation with `once`.
fn plant(system: &dyn System) {
    for (list, entries) in LISTS {
        let entries = entries.iter().map(|text| Entry::from(*text));
        system
            .set_value(list.value_name(), &Value::multi_sz(entries))
            .unwrap();
    }
    let mut older_image = our_image();
    older_image.push(0);
    fs::write(system.reach(&installed_image(system)), older_image).unwrap();
    let directory = Directory::of(system).unwrap();
    system.protect_directory(directory.path()).unwrap();
    fs::write(directory.done(), b"").unwrap();
}

/// The entries of each list, ours or not.
fn entries(system: &dyn System, ours: bool) -> BTreeMap<&'static str, Vec<String>> {
    Current::read_all(system)
        .unwrap()
        .iter()
        .map(|current| {
            let entries = current.entries().iter();
            let wanted = entries.filter(|entry| entry.is_ours() == ours);
            (
                current.list.value_name(),
                wanted.map(ToString::to_string).collect(),
            )
        })
        .collect()
}

/// Makes each step of `run` fail in turn. Gives the number of cases.
fn fail_each(
    system: &dyn System,
    run: &dyn Fn(&Failing<'_>) -> Result<Outcome, Error>,
    check: &dyn Fn(),
) -> usize {
    let mut cases = 0;
    for moment in [Moment::Before, Moment::After] {
        for ended in [false, true] {
            for step in 0.. {
                plant(system);
                let foreign = entries(system, false);
                let failing = Failing::at(system, step, moment, ended);
                let result = run(&failing);
                let case = format!("step {step}, {moment:?}, ended: {ended}");
                assert_eq!(entries(system, false), foreign, "{case}");
                if !failing.has_failed.get() {
                    result.unwrap();
                    check();
                    break;
                }
                cases += 1;
                run(&Failing::at(system, usize::MAX, moment, false))
                    .unwrap_or_else(|error| panic!("the run after {case}: {error}"));
                assert_eq!(entries(system, false), foreign, "the run after {case}");
                check();
            }
        }
    }
    cases
}

fn fail_each_of_install(system: &dyn System) -> usize {
    fail_each(
        system,
        &|failing| {
            let arguments = ["--phase", "both", "--no-pnp-sync"];
            try_install(failing, &our_image(), &arguments, &mut |_| failing.print())
        },
        &|| {
            let ours: Vec<_> = entries(system, true).into_values().flatten().collect();
            assert_eq!(
                ours,
                ["bootshot phase=bootexecute", "bootshot phase=setupexecute"]
            );
            assert_eq!(read_installed(system).unwrap(), Some(our_image()));
            assert!(!Directory::of(system).unwrap().done().exists());
        },
    )
}

fn fail_each_of_uninstall(system: &dyn System) -> usize {
    fail_each(
        system,
        &|failing| uninstall(failing, &mut |_| failing.print()),
        &|| {
            let ours: Vec<_> = entries(system, true).into_values().flatten().collect();
            assert_eq!(ours, Vec::<String>::new());
            assert_eq!(read_installed(system).unwrap(), None);
            assert!(!Directory::of(system).unwrap().done().exists());
        },
    )
}

#[test]
fn no_step_of_install_that_fails_costs_a_foreign_entry() {
    let cases = fail_each_of_install(&FakeSystem::default());
    println!("install: {cases} cases");
    assert!(cases > 100, "{cases}");
}

#[test]
fn no_step_of_uninstall_that_fails_costs_a_foreign_entry() {
    let cases = fail_each_of_uninstall(&FakeSystem::default());
    println!("uninstall: {cases} cases");
    assert!(cases > 60, "{cases}");
}

/// On a real registry and real files. Not on Windows itself: this changes what the system starts with.
#[cfg(windows)]
#[test]
#[ignore = "needs Wine: run by cargo xtask test"]
fn no_step_that_fails_under_wine_costs_a_foreign_entry() {
    let system = crate::system::this("be tested").unwrap();
    assert!(system.is_wine(), "this test is for Wine only");
    println!("install: {} cases", fail_each_of_install(&*system));
    println!("uninstall: {} cases", fail_each_of_uninstall(&*system));
}
