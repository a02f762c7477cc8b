//! Memory: physical, committed, page files, pools, and what the kernel itself takes.

use std::cmp::Reverse;
use std::sync::Arc;

use serde::Serialize;

use super::Reading;
use super::processes::{image, pid};
use crate::decode::{self, PageFileClass, ProcessEntry};
use crate::error::Problem;
use crate::layout::structures::{
    SYSTEM_BASIC_INFORMATION as Basic, SYSTEM_FILECACHE_INFORMATION as Cache,
    SYSTEM_MEMORY_LIST_INFORMATION as Lists, SYSTEM_MEMORY_USAGE_INFORMATION as Usage,
    SYSTEM_PAGEFILE_INFORMATION as PageFileLayout,
    SYSTEM_PAGEFILE_INFORMATION_EX as PageFileExtended, SYSTEM_PERFORMANCE_INFORMATION as Counters,
    SYSTEM_POOLTAG as Tag, SYSTEM_PROCESS_INFORMATION as Process,
    SYSTEM_PROCESS_INFORMATION_EXTENSION as Extension, SYSTEM_REGISTRY_QUOTA_INFORMATION as Quota,
};
use crate::layout::{Kind, Size, View};
use crate::snapshot::Snapshot;

/// Memory. All sizes are bytes.
#[derive(Clone, Debug, Serialize)]
pub struct Memory {
    /// Bytes of a page.
    pub page_size: Option<u64>,
    /// RAM.
    pub physical: Physical,
    /// Memory promised to someone: RAM and page files back it.
    pub commit: Commit,
    /// Page files; none at all at the first moments of a boot.
    pub page_files: Option<Vec<PageFile>>,
    /// The pool that can be paged out.
    pub paged_pool: Pool,
    /// The pool that cannot.
    pub nonpaged_pool: Pool,
    /// Code of the kernel that can be paged out, in RAM.
    pub system_code: Option<u64>,
    /// Drivers' pageable code and data, in RAM.
    pub system_drivers: Option<u64>,
    /// The system cache.
    pub file_cache: Option<FileCache>,
    /// Pages by the list they are on.
    pub lists: Option<PageLists>,
    /// What the registry takes.
    pub registry: Option<RegistryQuota>,
    /// The pools by tag, the largest first; null when the system did not tell.
    pub pool_tags: Option<Vec<PoolTag>>,
    /// The processes, the one with the most private commit first.
    pub processes: Vec<ProcessMemory>,
}

/// What was allocated from the pools under one tag. All sizes are bytes.
#[derive(Clone, Debug, Serialize)]
pub struct PoolTag {
    /// Four characters; those that cannot be shown are dots.
    pub tag: String,
    /// In use in both pools.
    pub size: u64,
    /// In use in the pool that can be paged out.
    pub paged: u64,
    /// In use in the pool that cannot.
    pub nonpaged: u64,
    /// Allocations in both pools that are in use.
    pub allocations: u64,
}

/// What one process takes. All sizes are bytes.
#[derive(Clone, Debug, Serialize)]
pub struct ProcessMemory {
    /// Process id.
    pub pid: u64,
    /// File name of its image.
    pub image: Option<Arc<str>>,
    /// Private memory promised to it: what it counts for in the system's commit charge, in RAM or not.
    pub private_commit: u64,
    /// The most that ever was.
    pub peak_private_commit: u64,
    /// Memory in sections backed by page files that it charged for and may share; class 148 only.
    pub shared_commit: Option<u64>,
    /// Its pages in RAM, shared ones included.
    pub working_set: u64,
    /// The most that ever was.
    pub peak_working_set: u64,
    /// Its pages in RAM that nobody else can use; since Windows Vista. The column "Memory" of Task Manager.
    pub private_working_set: Option<u64>,
    /// The rest of its pages in RAM, which others may use as well.
    pub shared_working_set: Option<u64>,
    /// Address space in use, whether anything is behind it or not.
    pub virtual_size: u64,
    /// The most that ever was.
    pub peak_virtual_size: u64,
    /// Paged pool the kernel charges it for.
    pub paged_pool: u64,
    /// The most that ever was.
    pub peak_paged_pool: u64,
    /// Nonpaged pool the kernel charges it for.
    pub nonpaged_pool: u64,
    /// The most that ever was.
    pub peak_nonpaged_pool: u64,
    /// Page faults since it started; most of them need no disk.
    pub page_faults: u32,
    /// Those that read from a disk; since Windows 7.
    pub hard_faults: Option<u32>,
}

/// RAM.
#[derive(Clone, Debug, Serialize)]
pub struct Physical {
    /// What the system uses.
    pub total: Option<u64>,
    /// What can be had without writing anything out.
    pub available: Option<u64>,
}

/// Commit charge.
#[derive(Clone, Debug, Serialize)]
pub struct Commit {
    /// Charged now.
    pub total: Option<u64>,
    /// Most that could be, with the page files as they are.
    pub limit: Option<u64>,
    /// Most that ever was.
    pub peak: Option<u64>,
    /// Of the charge, what is for sections that are backed by page files and can be shared; null where not told.
    pub shared: Option<u64>,
}

/// A page file.
#[derive(Clone, Debug, Serialize)]
pub struct PageFile {
    /// NT path.
    pub path: Option<Arc<str>>,
    /// Size now.
    pub size: u64,
    /// In use now.
    pub in_use: u64,
    /// Most that ever was in use.
    pub peak: u64,
    /// Least size configured.
    pub minimum_size: Option<u64>,
    /// Most size configured.
    pub maximum_size: Option<u64>,
}

/// A kernel pool.
#[derive(Clone, Debug, Serialize)]
pub struct Pool {
    /// Its size.
    pub size: Option<u64>,
    /// How much of it is in RAM; for the paged pool only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resident: Option<u64>,
    /// Allocations since boot.
    pub allocations: Option<u32>,
    /// Frees since boot.
    pub frees: Option<u32>,
}

/// The working set of the system cache.
#[derive(Clone, Debug, Serialize)]
pub struct FileCache {
    /// Now.
    pub size: u64,
    /// Most that ever was.
    pub peak: u64,
    /// Page faults it took.
    pub page_faults: u32,
}

/// The memory manager's lists.
#[derive(Clone, Debug, Serialize)]
pub struct PageLists {
    /// Zeroed.
    pub zeroed: u64,
    /// Free.
    pub free: u64,
    /// To be written out.
    pub modified: u64,
    /// Changed, and not to be written out yet.
    pub modified_no_write: u64,
    /// Bad.
    pub bad: u64,
    /// Standby, by priority from 0 to 7.
    pub standby_by_priority: [u64; 8],
}

/// The registry's quota.
#[derive(Clone, Debug, Serialize)]
pub struct RegistryQuota {
    /// In use.
    pub used: u64,
    /// Most that may be.
    pub allowed: u64,
}

/// A pool tag as people read it. Bit 31 marks protected allocations (`PROTECTED_POOL`).
fn tag_name(tag: [u8; 4]) -> String {
    let [a, b, c, d] = tag;
    [a, b, c, d & 0x7F]
        .iter()
        .map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '.',
        })
        .collect()
}

impl Snapshot<'_> {
    /// Memory as the small system information classes tell it.
    pub fn memory(&self) -> Reading<Memory> {
        Reading::gather(|problems| self.read_memory(problems))
    }

    fn read_memory(&self, problems: &mut Vec<Problem>) -> Memory {
        let basic = self.system_view::<Basic>(0);
        let page_size = basic
            .and_then(|basic| basic.get(Basic::PageSize))
            .or(Some(self.header.page_size))
            .filter(|size| *size != 0)
            .map(u64::from);
        let bytes = |pages: Option<u64>| Some(pages?.saturating_mul(page_size?));
        let pages = |pages: u64| bytes(Some(pages)).unwrap_or_default();
        let counters = self.system_view::<Counters>(2);
        let counter = |field| counters?.get(field);
        let counted = |field| bytes(counters?.get::<u32>(field).map(u64::from));
        Memory {
            page_size,
            physical: Physical {
                total: bytes(
                    basic
                        .and_then(|basic| basic.get(Basic::NumberOfPhysicalPages))
                        .map(u64::from),
                ),
                available: counted(Counters::AvailablePages),
            },
            commit: Commit {
                total: counted(Counters::CommittedPages),
                limit: counted(Counters::CommitLimit),
                peak: counted(Counters::PeakCommitment),
                shared: self
                    .system_field(182, Usage::SharedCommittedBytes)
                    .or_else(|| bytes(counters?.get(Counters::SharedCommittedPages))),
            },
            page_files: self.page_files(pages, problems),
            paged_pool: Pool {
                size: counted(Counters::PagedPoolPages),
                resident: counted(Counters::ResidentPagedPoolPage),
                allocations: counter(Counters::PagedPoolAllocs),
                frees: counter(Counters::PagedPoolFrees),
            },
            nonpaged_pool: Pool {
                size: counted(Counters::NonPagedPoolPages),
                resident: None,
                allocations: counter(Counters::NonPagedPoolAllocs),
                frees: counter(Counters::NonPagedPoolFrees),
            },
            system_code: counted(Counters::ResidentSystemCodePage),
            system_drivers: counted(Counters::ResidentSystemDriverPage),
            file_cache: self.system_view::<Cache>(21).and_then(|cache| {
                Some(FileCache {
                    size: cache.get(Cache::CurrentSize)?,
                    peak: cache.get(Cache::PeakSize)?,
                    page_faults: cache.get(Cache::PageFaultCount)?,
                })
            }),
            lists: self.system_view::<Lists>(80).and_then(|lists| {
                Some(PageLists {
                    zeroed: pages(lists.get(Lists::ZeroPageCount)?),
                    free: pages(lists.get(Lists::FreePageCount)?),
                    modified: pages(lists.get(Lists::ModifiedPageCount)?),
                    modified_no_write: pages(lists.get(Lists::ModifiedNoWritePageCount)?),
                    bad: pages(lists.get(Lists::BadPageCount)?),
                    standby_by_priority: lists.get(Lists::PageCountByPriority)?.map(pages),
                })
            }),
            registry: self.registry_quota(),
            pool_tags: self.pool_tags(problems),
            processes: self.process_memory(problems),
        }
    }

    fn pool_tags(&self, problems: &mut Vec<Problem>) -> Option<Vec<PoolTag>> {
        let answer = self.system_information(&[22])?;
        let views = answer.decode(problems, decode::pool_tags);
        let mut tags: Vec<PoolTag> = views
            .iter()
            .map(|view| {
                let used = |field| view.get::<Size>(field).unwrap_or_default();
                let count = |field| view.get::<u32>(field).unwrap_or_default();
                let (paged, nonpaged) = (used(Tag::PagedUsed), used(Tag::NonPagedUsed));
                // Both counters wrap around together.
                let live =
                    |allocations, frees| u64::from(count(allocations).wrapping_sub(count(frees)));
                PoolTag {
                    tag: tag_name(view.get(Tag::Tag).unwrap_or_default()),
                    size: paged.saturating_add(nonpaged),
                    paged,
                    nonpaged,
                    allocations: live(Tag::PagedAllocs, Tag::PagedFrees)
                        + live(Tag::NonPagedAllocs, Tag::NonPagedFrees),
                }
            })
            .collect();
        tags.sort_by_key(|tag| Reverse(tag.size));
        Some(tags)
    }

    fn process_memory(&self, problems: &mut Vec<Problem>) -> Vec<ProcessMemory> {
        let entries = self.process_entries(problems);
        let mut processes: Vec<_> = entries.iter().map(|entry| self.memory_of(entry)).collect();
        processes.sort_by_key(|process| Reverse(process.private_commit));
        processes
    }

    fn memory_of(&self, entry: &ProcessEntry<'_>) -> ProcessMemory {
        let size = |field| entry.process.get::<Size>(field).unwrap_or_default();
        let working_set = size(Process::WorkingSetSize);
        let private_working_set = entry
            .process
            .get(Process::WorkingSetPrivateSize)
            .filter(|_| self.header.nt_major >= 6)
            .and_then(|size| u64::try_from(size).ok());
        let extension = entry.extension.as_ref();
        ProcessMemory {
            pid: pid(entry),
            image: image(entry),
            private_commit: size(Process::PagefileUsage),
            peak_private_commit: size(Process::PeakPagefileUsage),
            shared_commit: extension
                .and_then(|extension| extension.get(Extension::SharedCommitCharge)),
            working_set,
            peak_working_set: size(Process::PeakWorkingSetSize),
            private_working_set,
            shared_working_set: private_working_set
                .and_then(|private| working_set.checked_sub(private)),
            virtual_size: size(Process::VirtualSize),
            peak_virtual_size: size(Process::PeakVirtualSize),
            paged_pool: size(Process::QuotaPagedPoolUsage),
            peak_paged_pool: size(Process::QuotaPeakPagedPoolUsage),
            nonpaged_pool: size(Process::QuotaNonPagedPoolUsage),
            peak_nonpaged_pool: size(Process::QuotaPeakNonPagedPoolUsage),
            page_faults: entry
                .process
                .get(Process::PageFaultCount)
                .unwrap_or_default(),
            hard_faults: entry
                .process
                .get(Process::HardFaultCount)
                .filter(|_| (self.header.nt_major, self.header.nt_minor) >= (6, 1)),
        }
    }

    pub(super) fn registry_quota(&self) -> Option<RegistryQuota> {
        let quota = self.system_view::<Quota>(37)?;
        Some(RegistryQuota {
            used: quota.get(Quota::RegistryQuotaUsed)?.into(),
            allowed: quota.get(Quota::RegistryQuotaAllowed)?.into(),
        })
    }

    /// None when no class was answered; an answer without bytes says that there are none.
    fn page_files(
        &self,
        pages: impl Fn(u64) -> u64,
        problems: &mut Vec<Problem>,
    ) -> Option<Vec<PageFile>> {
        let source = bootshot_format::Source::SYSTEM_INFORMATION;
        let answer = [144, 18]
            .iter()
            .find_map(|class| self.answered(source, *class).next())?;
        let class = PageFileClass::from_number(answer.class)?;
        let files = answer.decode(problems, |buffer, problems| {
            decode::page_files(buffer, class, problems)
        });
        let sizes = |file: &decode::PageFile<'_>| {
            let base = |field| Some(pages(file.base.get::<u32>(field)?.into()));
            let extended = |field| Some(pages(file.extended?.get::<u32>(field)?.into()));
            PageFile {
                path: file.name.clone(),
                size: base(PageFileLayout::TotalSize).unwrap_or_default(),
                in_use: base(PageFileLayout::TotalInUse).unwrap_or_default(),
                peak: base(PageFileLayout::PeakUsage).unwrap_or_default(),
                minimum_size: extended(PageFileExtended::MinimumSize),
                maximum_size: extended(PageFileExtended::MaximumSize),
            }
        };
        Some(files.iter().map(sizes).collect())
    }

    /// The answer to a system information class as a structure.
    pub(super) fn system_view<S: crate::layout::Structure>(
        &self,
        class: u32,
    ) -> Option<View<'_, S>> {
        let answer = self.system_information(&[class])?;
        Some(View::new(answer.bytes, self.width()))
    }

    /// One field of the answer to a system information class.
    pub(super) fn system_field<S: crate::layout::Structure, K: Kind>(
        &self,
        class: u32,
        field: crate::layout::Field<S, K>,
    ) -> Option<K::Value<'_>> {
        self.system_view::<S>(class)?.get(field)
    }
}
