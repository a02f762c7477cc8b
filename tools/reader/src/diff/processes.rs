//! Which process of one snapshot is which of another.
//!
//! Within one boot a process is its id and the time it was started; of several that have both, those of one image are
//! matched first. Between two boots it is its image, the images of its
//! parents, and its command line; several that are alike are matched in the order in which they were started. What a side
//! did not capture (a protected process tells no command line; a parent that ended is not known) does not tell processes
//! apart.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use crate::records::{ParentStatus, Process};

/// Parents that are followed.
const LONGEST_CHAIN: usize = 16;

/// Whom a process is matched with.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// The same on both sides for the same process.
    pub id: u32,
    /// Whether the other side has it.
    pub matched: bool,
}

/// What tells a process from others in another boot.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Traits {
    image: Option<u32>,
    /// The nearest first.
    chain: Vec<Option<u32>>,
    /// Whether the chain ends where the kernel's begins, not at a parent that has ended.
    whole_chain: bool,
    command_line: Option<Arc<str>>,
}

/// Numbers for the names of images, in any case.
#[derive(Default)]
struct Images(BTreeMap<String, u32>);

impl Images {
    fn number(&mut self, image: Option<&str>) -> Option<u32> {
        let next = self.0.len() as u32;
        Some(*self.0.entry(image?.to_lowercase()).or_insert(next))
    }

    fn numbers(&mut self, processes: &[Process]) -> Vec<Option<u32>> {
        let images = processes.iter().map(|process| process.image.as_deref());
        images.map(|image| self.number(image)).collect()
    }
}

fn traits(processes: &[Process], images: &mut Images) -> Vec<Traits> {
    let numbers = images.numbers(processes);
    let by_pid: HashMap<u64, usize> = processes
        .iter()
        .enumerate()
        .map(|(place, process)| (process.pid, place))
        .collect();
    let of = |(place, process): (usize, &Process)| {
        let mut chain = Vec::new();
        let mut child = process;
        let mut whole_chain = true;
        while child.pid != 0 && chain.len() < LONGEST_CHAIN {
            let alive = child.parent_status == Some(ParentStatus::Alive);
            let parent = by_pid.get(&child.parent_pid).filter(|_| alive);
            let Some(parent) = parent else {
                // What the kernel itself started has no parent.
                whole_chain = child.parent_pid == 0;
                break;
            };
            chain.push(numbers[*parent]);
            if processes[*parent].pid == child.pid {
                break;
            }
            child = &processes[*parent];
        }
        Traits {
            image: numbers[place],
            chain,
            whole_chain,
            command_line: process.command_line.clone(),
        }
    };
    processes.iter().enumerate().map(of).collect()
}

/// A matching in progress.
struct Pairing {
    first: Vec<Option<u32>>,
    second: Vec<Option<u32>>,
    next: u32,
}

impl Pairing {
    fn pair(&mut self, first: usize, second: usize) {
        self.first[first] = Some(self.next);
        self.second[second] = Some(self.next);
        self.next += 1;
    }

    /// Pairs those that are alike. Where `unknown` is given, only pairs of which that is true on at least one side.
    fn pass<T: std::hash::Hash + Eq>(
        &mut self,
        order: [&[usize]; 2],
        alike: [&dyn Fn(usize) -> Option<T>; 2],
        unknown: Option<[&dyn Fn(usize) -> bool; 2]>,
    ) {
        /// Those that are alike: of each side, those of which it is not known what tells them apart, and the others.
        #[derive(Default)]
        struct Group {
            first: [VecDeque<usize>; 2],
            second: [VecDeque<usize>; 2],
        }
        let is_known = |side: usize, place: usize| {
            usize::from(unknown.is_some_and(|unknown| !unknown[side](place)))
        };
        let mut groups: HashMap<T, Group> = HashMap::new();
        for place in order[0] {
            if let (None, Some(like)) = (self.first[*place], alike[0](*place)) {
                let group = groups.entry(like).or_default();
                group.first[is_known(0, *place)].push_back(*place);
            }
        }
        for place in order[1] {
            if let (None, Some(like)) = (self.second[*place], alike[1](*place))
                && let Some(group) = groups.get_mut(&like)
            {
                group.second[is_known(1, *place)].push_back(*place);
            }
        }
        let mut pairs = Vec::new();
        for group in groups.into_values() {
            let [mut unknown, mut known] = group.first;
            let [mut other_unknown, mut other_known] = group.second;
            let mut zip = |first: &mut VecDeque<usize>, second: &mut VecDeque<usize>| {
                let length = first.len().min(second.len());
                pairs.extend(first.drain(..length).zip(second.drain(..length)));
            };
            // Those that tell nothing with those that tell something; then what is left with its like.
            zip(&mut unknown, &mut other_known);
            zip(&mut known, &mut other_unknown);
            zip(&mut unknown, &mut other_unknown);
        }
        pairs.sort_unstable();
        for (first, second) in pairs {
            self.pair(first, second);
        }
    }
}

/// The keys of the processes of both sides.
pub(super) fn pair(first: &[Process], second: &[Process], same_boot: bool) -> (Vec<Key>, Vec<Key>) {
    let mut pairing = Pairing {
        first: vec![None; first.len()],
        second: vec![None; second.len()],
        next: 0,
    };
    let in_order = |processes: &[Process]| {
        let mut order: Vec<usize> = (0..processes.len()).collect();
        order.sort_by_key(|place| processes[*place].create_time);
        order
    };
    let (order, other_order) = (in_order(first), in_order(second));
    let order = [&order[..], &other_order[..]];
    if same_boot {
        let mut images = Images::default();
        let (image, other_image) = (images.numbers(first), images.numbers(second));
        let id = |process: &Process| Some((process.pid, process.create_time));
        pairing.pass(
            order,
            [&|at| Some((id(&first[at]), image[at])), &|at| {
                Some((id(&second[at]), other_image[at]))
            }],
            None,
        );
        pairing.pass(order, [&|at| id(&first[at]), &|at| id(&second[at])], None);
    } else {
        between_boots(&mut pairing, first, second, order);
    }
    let keys = |ids: Vec<Option<u32>>, next: &mut u32| -> Vec<Key> {
        ids.into_iter()
            .map(|id| Key {
                matched: id.is_some(),
                id: id.unwrap_or_else(|| {
                    *next += 1;
                    *next - 1
                }),
            })
            .collect()
    };
    let mut next = pairing.next;
    let first = keys(pairing.first, &mut next);
    let second = keys(pairing.second, &mut next);
    (first, second)
}

fn between_boots(
    pairing: &mut Pairing,
    first: &[Process],
    second: &[Process],
    order: [&[usize]; 2],
) {
    let mut images = Images::default();
    let (first, second) = (traits(first, &mut images), traits(second, &mut images));
    let (first, second) = (&first, &second);
    let whole = |traits: &Traits| Some(traits.clone());
    pairing.pass(
        order,
        [&|at| whole(&first[at]), &|at| whole(&second[at])],
        None,
    );
    let parents_differ = |traits: &Traits| Some((traits.image?, traits.command_line.clone()?));
    let no_parents = |traits: &Traits| !traits.whole_chain;
    pairing.pass(
        order,
        [&|at| parents_differ(&first[at]), &|at| {
            parents_differ(&second[at])
        }],
        Some([&|at| no_parents(&first[at]), &|at| no_parents(&second[at])]),
    );
    let no_line = |traits: &Traits| traits.command_line.is_none();
    let lines_differ = |traits: &Traits| Some((traits.image?, traits.chain.clone()));
    pairing.pass(
        order,
        [&|at| lines_differ(&first[at]), &|at| {
            lines_differ(&second[at])
        }],
        Some([&|at| no_line(&first[at]), &|at| no_line(&second[at])]),
    );
    let only_image = |traits: &Traits| traits.image;
    let tells_nothing = |traits: &Traits| no_line(traits) && no_parents(traits);
    pairing.pass(
        order,
        [&|at| only_image(&first[at]), &|at| only_image(&second[at])],
        Some([&|at| tells_nothing(&first[at]), &|at| {
            tells_nothing(&second[at])
        }]),
    );
}
