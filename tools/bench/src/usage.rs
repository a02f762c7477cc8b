//! What a piece of work cost this process.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Time passed and time computed.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Usage {
    /// Seconds by the clock.
    pub wall: f64,
    /// Seconds in user mode, of all threads; none where the system does not tell.
    pub user: Option<f64>,
}

impl Usage {
    /// Measures `work`.
    pub fn of<R>(work: impl FnOnce() -> R) -> (R, Self) {
        let (user, start) = (user_time(), Instant::now());
        let result = work();
        let usage = Self {
            wall: start.elapsed().as_secs_f64(),
            user: user
                .zip(user_time())
                .map(|(before, after)| (after - before).as_secs_f64()),
        };
        (result, usage)
    }

    /// What one of these runs cost; none where there are none. The least wall time, since what disturbs a run only ever adds to
    /// it, and the mean time in user mode: the system takes samples of it, and says of a short run what they happened to hit.
    pub fn of_one(runs: &[Self]) -> Option<Self> {
        let user: Option<f64> = runs.iter().map(|run| run.user).sum();
        Some(Self {
            wall: runs.iter().map(|run| run.wall).reduce(f64::min)?,
            user: user.map(|user| user / runs.len() as f64),
        })
    }
}

/// What a program cost.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Cost {
    /// Seconds by the clock.
    pub wall: f64,
    /// Seconds in user mode.
    pub user: f64,
    /// Seconds in the kernel.
    pub system: f64,
    /// Bytes of memory at most, mapped files included.
    pub peak: u64,
    /// Its exit code.
    pub exit_code: Option<i32>,
}

/// Runs a program to its end. It must be the only one that this process starts.
///
/// # Errors
///
/// One sentence, when it could not be started or the system does not tell.
pub fn of_program(command: &[String], output: Option<&Path>) -> Result<Cost, String> {
    let [program, arguments @ ..] = command else {
        return Err("no program is named".to_owned());
    };
    let output = match output {
        Some(path) => File::create(path)
            .map(Stdio::from)
            .map_err(|error| format!("cannot create {}: {error}", path.display()))?,
        None => Stdio::null(),
    };
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("cannot start {program}: {error}"))?;
    let wall = start.elapsed().as_secs_f64();
    let (user, system, peak) = of_children().ok_or("this system does not tell what it cost")?;
    Ok(Cost {
        wall,
        user,
        system,
        peak,
        exit_code: status.code(),
    })
}

/// Seconds in user mode and in the kernel, and bytes of memory, of the programs that have ended.
#[cfg(unix)]
fn of_children() -> Option<(f64, f64, u64)> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    let seconds = |time: nix::sys::time::TimeVal| time.num_microseconds() as f64 / 1e6;
    // Kibibytes, but on macOS.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let peak = u64::try_from(usage.max_rss()).ok()? * unit;
    Some((
        seconds(usage.user_time()),
        seconds(usage.system_time()),
        peak,
    ))
}

#[cfg(not(unix))]
fn of_children() -> Option<(f64, f64, u64)> {
    None
}

#[cfg(unix)]
fn user_time() -> Option<Duration> {
    use nix::sys::resource::{UsageWho, getrusage};
    let time = getrusage(UsageWho::RUSAGE_SELF).ok()?.user_time();
    let seconds = Duration::from_secs(u64::try_from(time.tv_sec()).ok()?);
    Some(seconds + Duration::from_micros(u64::try_from(time.tv_usec()).ok()?))
}

#[cfg(not(unix))]
fn user_time() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_cost_the_least_wall_time_and_the_mean_user_time() {
        let run = |wall, user| Usage { wall, user };
        let one = Usage::of_one(&[run(3.0, Some(0.0)), run(2.0, Some(4.0))]).unwrap();
        assert_eq!((one.wall, one.user), (2.0, Some(2.0)));
        let untold = Usage::of_one(&[run(3.0, Some(1.0)), run(2.0, None)]).unwrap();
        assert_eq!(untold.user, None);
        assert!(Usage::of_one(&[]).is_none());
    }
}
