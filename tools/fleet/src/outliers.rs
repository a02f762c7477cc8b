//! What is planted in the fleet, and what the queries have to say of it.

use serde::Serialize;

/// A driver that is on one machine only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DriverOutlier {
    /// Object, module and service, like any other.
    Loaded,
    /// An object and a module that no service entry stands for.
    WithoutService,
    /// An object alone.
    WithoutModule,
    /// A driver that every machine has, from another place.
    OtherPath,
}

impl DriverOutlier {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Loaded,
        Self::WithoutService,
        Self::WithoutModule,
        Self::OtherPath,
    ];

    /// Where the others have what [`Self::OtherPath`] replaces.
    pub const USUAL_PATH: &str = r"\SystemRoot\system32\drivers\mountmgr.sys";

    /// As the table names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loaded => "rwprobe",
            Self::WithoutService => "blinddrv",
            Self::WithoutModule => "hiddendisk",
            Self::OtherPath => "mountmgr.sys",
        }
    }

    /// Path of the module.
    pub const fn module(self) -> Option<&'static str> {
        match self {
            Self::Loaded => Some(r"\??\C:\Tools\rwprobe.sys"),
            Self::WithoutService => Some(r"\SystemRoot\system32\drivers\blinddrv.sys"),
            Self::WithoutModule => None,
            Self::OtherPath => Some(r"\??\C:\ProgramData\mountmgr.sys"),
        }
    }

    /// What `drivers` says of it.
    pub const fn state(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::WithoutService => "no_service",
            Self::WithoutModule => "no_module",
            Self::OtherPath => "no_driver_object",
        }
    }
}

/// What the Session Manager runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BootLists {
    /// `autochk` and bootshot.
    Usual,
    /// The same in another case.
    UsualInAnotherCase,
    /// A program that nobody else runs.
    Additional,
    /// An installer wrote the list anew, without `autochk`.
    WithoutAutochk,
    /// bootshot first.
    InAnotherOrder,
    /// Servicing has work for one boot.
    Servicing,
    /// Nothing at all.
    Empty,
}

const AUTOCHK: &str = "autocheck autochk *";
const BOOT: &str = "bootshot phase=bootexecute";
const SETUP: &str = "bootshot phase=setupexecute";

impl BootLists {
    /// Those that are planted.
    pub const OUTLIERS: [Self; 5] = [
        Self::Additional,
        Self::WithoutAutochk,
        Self::InAnotherOrder,
        Self::Servicing,
        Self::Empty,
    ];

    /// The lists with their names.
    pub const fn lists(self) -> [(&'static str, &'static [&'static str]); 2] {
        let boot: &[&str] = match self {
            Self::Usual | Self::Servicing => &[AUTOCHK, BOOT],
            Self::UsualInAnotherCase => &["Autocheck AutoChk *", BOOT],
            Self::Additional => &[AUTOCHK, BOOT, "diskwipe /quiet"],
            Self::WithoutAutochk => &[BOOT],
            Self::InAnotherOrder => &[BOOT, AUTOCHK],
            Self::Empty => &[],
        };
        let setup: &[&str] = match self {
            Self::Servicing => &["poqexec.exe /display_progress", SETUP],
            Self::Empty => &[],
            _ => &[SETUP],
        };
        [("BootExecute", boot), ("SetupExecute", setup)]
    }

    /// As the query writes them.
    fn entries(self) -> Vec<String> {
        let mut all = Vec::new();
        for (list, entries) in self.lists() {
            for (position, entry) in entries.iter().enumerate() {
                all.push(format!("{list} {position}: {}", entry.to_lowercase()));
            }
        }
        if all.is_empty() {
            all.push("nothing".to_owned());
        }
        all
    }
}

/// What each query must find, row by row.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Planted {
    /// Every row of `drivers.sql`, by machine.
    pub drivers: Vec<DriverRow>,
    /// The first row of `zombies.sql`.
    pub zombies: ZombiesRow,
    /// Every row of `boot-lists.sql`, by machine.
    pub boot_lists: Vec<BootListRow>,
}

/// A driver on one machine.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DriverRow {
    host: String,
    driver: String,
    module: Option<String>,
    state: &'static str,
}

impl DriverRow {
    /// What the query says of this driver on this machine.
    pub fn new(host: &str, driver: DriverOutlier) -> Self {
        Self {
            host: host.to_owned(),
            driver: driver.name().to_owned(),
            module: driver.module().map(str::to_lowercase),
            state: driver.state(),
        }
    }
}

/// A holder of zombies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ZombiesRow {
    /// Its image.
    pub image: &'static str,
    /// How many it holds on all machines.
    pub zombies: u64,
    /// On how many machines.
    pub hosts: u64,
}

/// A machine with other lists.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BootListRow {
    host: String,
    boot_list: Vec<String>,
}

impl BootListRow {
    /// What the query says of these lists on this machine.
    pub fn new(host: &str, lists: BootLists) -> Self {
        Self {
            host: host.to_owned(),
            boot_list: lists.entries(),
        }
    }
}
