//! Calendar time for file names.

/// Date and time of day, UTC, each as one decimal number: 20261120 and 114823. From system time, 100 ns since 1601-01-01
/// UTC; times before that are taken as that day.
pub fn date_and_time(system_time: i64) -> (u32, u32) {
    let seconds = system_time.max(0) as u64 / 10_000_000;
    let (mut days, time) = ((seconds / 86_400) as u32, (seconds % 86_400) as u32);
    let (mut year, mut month) = (1601, 1);
    // Going over the months is as short as a formula for them, and nobody has to believe it.
    loop {
        let length = length_of(year, month);
        if days < length {
            break;
        }
        days -= length;
        month += 1;
        if month > 12 {
            month = 1;
            year += 1;
        }
    }
    let minutes = time / 60;
    (
        year * 10_000 + month * 100 + days + 1,
        minutes / 60 * 10_000 + minutes % 60 * 100 + time % 60,
    )
}

/// Days of a month.
const fn length_of(year: u32, month: u32) -> u32 {
    if month != 2 {
        // A bit for each month that has 31 days.
        return 30 + (0b1_0101_1010_1010 >> month & 1);
    }
    // A year that ends a century is a leap year only where the century is the last of four.
    let period = if year.is_multiple_of(100) { 400 } else { 4 };
    28 + year.is_multiple_of(period) as u32
}

#[cfg(test)]
mod tests {
    use super::date_and_time;

    const DAY: i64 = 86_400 * 10_000_000;

    fn date(system_time: i64) -> (u32, u32, u32) {
        let (date, _) = date_and_time(system_time);
        (date / 10_000, date / 100 % 100, date % 100)
    }

    #[test]
    fn known_days_come_out_right() {
        assert_eq!(date(-1), (1601, 1, 1));
        assert_eq!(date(0), (1601, 1, 1));
        assert_eq!(date(58 * DAY), (1601, 2, 28));
        assert_eq!(date(59 * DAY), (1601, 3, 1));
        // 1970-01-01 is 11,644,473,600 s after 1601-01-01 (Microsoft, FILETIME).
        let unix = 11_644_473_600 * 10_000_000;
        assert_eq!(date(unix), (1970, 1, 1));
        assert_eq!(date(unix + 951_782_400 * 10_000_000), (2000, 2, 29));
        assert_eq!(date(unix + 951_868_800 * 10_000_000), (2000, 3, 1));
        assert_eq!(
            date_and_time(unix + 1_795_175_303 * 10_000_000),
            (20_261_120, 114_823)
        );
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut previous = date(0);
        for day in 1..(500 * 366) {
            let next = date(day * DAY);
            let follows = match (next.0 - previous.0, next.1, next.2) {
                (0, month, 1) => month == previous.1 + 1 && previous.2 >= 28,
                (0, month, day) => month == previous.1 && day == previous.2 + 1,
                (1, 1, 1) => (previous.1, previous.2) == (12, 31),
                _ => false,
            };
            assert!(follows, "{previous:?} then {next:?}");
            previous = next;
        }
    }
}
