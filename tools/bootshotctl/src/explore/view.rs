//! The panes, and the views of each.

/// A pane: what a tab stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pane {
    Processes,
    Handles,
    Objects,
    Registry,
}

impl Pane {
    pub const ALL: [Self; 4] = [
        Self::Processes,
        Self::Handles,
        Self::Objects,
        Self::Registry,
    ];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Processes => "Processes",
            Self::Handles => "Handles",
            Self::Objects => "Objects",
            Self::Registry => "Registry",
        }
    }

    /// What it can show, the first of which it begins with.
    pub const fn views(self) -> &'static [View] {
        match self {
            Self::Processes => &[View::ProcessTree, View::ProcessList],
            Self::Handles => &[View::Handles],
            Self::Objects => &[View::Namespace, View::Objects],
            Self::Registry => &[
                View::Hives,
                View::Roots,
                View::Links,
                View::Volatile,
                View::Keys,
                View::Services,
                View::Minifilters,
                View::Autologgers,
                View::SessionManager,
                View::Control,
            ],
        }
    }
}

/// What a pane shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum View {
    ProcessTree,
    ProcessList,
    Handles,
    Namespace,
    Objects,
    Hives,
    Roots,
    Links,
    Volatile,
    Keys,
    Services,
    Minifilters,
    Autologgers,
    SessionManager,
    Control,
}

impl View {
    pub const COUNT: usize = Self::Control as usize + 1;

    pub const fn title(self) -> &'static str {
        match self {
            Self::ProcessTree => "tree",
            Self::ProcessList => "list",
            Self::Handles => "all",
            Self::Namespace => "namespace",
            Self::Objects => "all objects",
            Self::Hives => "hives",
            Self::Roots => "roots",
            Self::Links => "links",
            Self::Volatile => "volatile",
            Self::Keys => "keys",
            Self::Services => "services",
            Self::Minifilters => "minifilters",
            Self::Autologgers => "autologgers",
            Self::SessionManager => "session-manager",
            Self::Control => "control",
        }
    }

    /// Whether its rows stand below each other as branches.
    pub const fn is_tree(self) -> bool {
        matches!(self, Self::ProcessTree | Self::Namespace)
    }

    pub fn pane(self) -> Pane {
        let shows = |pane: &Pane| pane.views().contains(&self);
        // Every view is one of a pane's.
        Pane::ALL.into_iter().find(shows).unwrap_or(Pane::Processes)
    }

    /// Every view.
    pub fn all() -> impl Iterator<Item = Self> {
        Pane::ALL
            .into_iter()
            .flat_map(|pane| pane.views().iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_belongs_to_one_pane_and_views_are_counted() {
        let mut places: Vec<usize> = View::all().map(|view| view as usize).collect();
        places.sort_unstable();
        assert_eq!(places, (0..View::COUNT).collect::<Vec<_>>());
        for pane in Pane::ALL {
            assert!(pane.views().iter().all(|view| view.pane() == pane));
        }
    }
}
