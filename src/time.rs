//! Calendar time for file names.

/// Date and time of day, UTC, each as one decimal number: 20261120 and 114823. From system time, 100 ns since 1601-01-01
/// UTC; times before that are taken as that day.
pub const fn date_and_time(system_time: i64) -> (u64, u64) {
    let seconds = if system_time < 0 {
        0
    } else {
        system_time as u64 / 10_000_000
    };
    let (days, second_of_day) = (seconds / 86_400, (seconds % 86_400) as u32);
    // Years start in March here, so that the leap day is the last of its year, and eras of 400 years repeat
    // exactly; 1601-01-01 is day 306 of the year that began on 1600-03-01.
    let days = days + 306;
    let (era, day_of_era) = (days / 146_097, (days % 146_097) as u32);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = 1600 + era as u32 * 400 + year_of_era + (month <= 2) as u32;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let minutes = second_of_day / 60;
    (
        (year * 10_000 + month * 100 + day) as u64,
        (minutes / 60 * 10_000 + minutes % 60 * 100 + second_of_day % 60) as u64,
    )
}

#[cfg(test)]
mod tests {
    use super::date_and_time;

    const DAY: i64 = 86_400 * 10_000_000;

    fn date(system_time: i64) -> (u64, u64, u64) {
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
