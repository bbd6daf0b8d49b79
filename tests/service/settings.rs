//! Settings explain themselves, and wrong ones are refused with one sentence.

use crate::support::program::output;
use clap::CommandFactory;
use samphan::config::Cli;

#[test]
fn every_setting_has_a_description_an_example_of_its_value_and_an_environment_variable() {
    let mut all = 0;
    for name in ["serve", "migrate"] {
        let help = output(&[name, "--help"]);
        assert!(help.status.success() && help.stderr.is_empty());
        let help = String::from_utf8(help.stdout).unwrap();
        let cli = Cli::command();
        let command = cli.get_subcommands().find(|c| c.get_name() == name).unwrap();
        for setting in command.get_arguments().filter(|a| a.get_id() != "help") {
            let long = setting.get_long().unwrap();
            let about = setting.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(about.len() > 30, "--{long} says what it is: {about}");
            let variable = setting.get_env().and_then(|v| v.to_str()).unwrap_or_default();
            assert_eq!(variable, format!("SAMPHAN_{}", long.replace('-', "_").to_uppercase()), "--{long}");
            // Whoever reads about a number reads its unit and its limits.
            let numbers = about.chars().any(|c| c.is_ascii_digit()) && about.contains(" to ");
            let value = setting.get_value_names().unwrap_or_default().join(" ");
            assert!(!["MILLISECONDS", "SECONDS", "COUNT"].contains(&value.as_str()) || numbers, "--{long} says its limits: {about}");
            assert_ne!(value, long.replace('-', "_").to_uppercase(), "--{long} says what its value is");
            let shown = help.split("\n      --").find(|part| part.trim_start().trim_start_matches('-').starts_with(&format!("{long} ")));
            let shown = shown.unwrap_or_else(|| panic!("--{long} in {help}"));
            assert!(shown.contains(&format!("[env: {variable}")), "{shown}");
            let optional =
                ["admin-password", "cors-origins", "secret-keys", "erasure-journal", "trusted-proxies", "metrics-token"].contains(&long);
            assert_eq!(shown.contains("[default: "), !optional, "{shown}");
            all += 1;
        }
    }
    assert!(all >= 18, "{all}");
}

#[test]
fn a_wrong_setting_is_refused_with_a_sentence_that_names_it() {
    for (setting, value, says) in [
        ("database-url", "mysql://x", "SAMPHAN_DATABASE_URL must begin with sqlite:// or postgres://"),
        ("database-url", "", "SAMPHAN_DATABASE_URL must begin with"),
        ("database-connections", "0", "0 is not in 1..=64"),
        ("workers", "many", "invalid value 'many' for '--workers <COUNT>'"),
        ("workers", "900", "900 is not in 0..=256"),
        ("listen", "nowhere", "invalid value 'nowhere' for '--listen <ADDRESS:PORT>'"),
        ("listen", "127.0.0.1:99999", "for '--listen <ADDRESS:PORT>'"),
        ("admin-email", "somebody", "SAMPHAN_ADMIN_EMAIL must be an e-mail address"),
        ("admin-password", "S3cret", "SAMPHAN_ADMIN_PASSWORD must have 12 characters or more"),
        ("admin-password", "password1234", "SAMPHAN_ADMIN_PASSWORD is too easy to guess"),
        ("admin-password", "admin@example.com", "SAMPHAN_ADMIN_PASSWORD is too easy to guess"),
        ("time-zone", "Asia/Atlantis", "an IANA time zone such as Asia/Bangkok"),
        ("demo", "maybe", "invalid value 'maybe' for '--demo <BOOL>'"),
        ("rate-limit", "sometimes", "possible values: on, off"),
        ("log-format", "xml", "possible values: json, text"),
        ("log", "((", "SAMPHAN_LOG must be a level such as info"),
        ("cors-origins", "*", "SAMPHAN_CORS_ORIGINS must be exact origins"),
        ("cors-origins", "https://crm.example.com,https://a.example/x", "SAMPHAN_CORS_ORIGINS must be exact origins"),
        ("metrics-token", "short", "SAMPHAN_METRICS_TOKEN must have 16 characters or more"),
        ("head-timeout-ms", "10", "10 is not in 1000..=600000"),
        ("body-timeout-ms", "-1", "for '--body-timeout-ms <MILLISECONDS>'"),
        ("webhook-allow-private", "yes", "invalid value 'yes' for '--webhook-allow-private <BOOL>'"),
        ("webhook-deliveries", "65", "65 is not in 1..=64"),
        ("secret-keys", "S3cret", "SAMPHAN_SECRET_KEYS must be keys of 32 bytes in Base64"),
        ("erasure-journal", "/nowhere/at/all", "SAMPHAN_ERASURE_JOURNAL must be a file in a folder that is there"),
        ("read-timeout-ms", "10", "10 is not in 100..=60000"),
        ("event-streams", "0", "0 is not in 1..=10000"),
        ("event-streams-per-caller", "0", "0 is not in 1..=10000"),
        ("trusted-proxies", "10.0.0.0/33", "SAMPHAN_TRUSTED_PROXIES must be addresses and networks such as"),
        ("trusted-proxies", "127.0.0.1,proxy.example.com", "SAMPHAN_TRUSTED_PROXIES must be addresses and networks such as"),
        ("shutdown-seconds", "0", "0 is not in 1..=300"),
        ("sqlite-full-sync", "1.5", "for '--sqlite-full-sync <BOOL>'"),
        ("no-such-setting", "1", "unexpected argument '--no-such-setting'"),
    ] {
        let told = output(&["serve", &format!("--{setting}={value}")]);
        let text = String::from_utf8_lossy(&told.stderr);
        assert!(!told.status.success(), "{setting}={value}");
        assert!(text.contains(says), "{setting}={value}: {text}");
        assert!(told.stdout.is_empty() && !text.contains("panicked") && !text.contains("S3cret"), "{setting}={value}: {text}");
        // What follows the sentence is only where to read more.
        assert!(text.lines().take_while(|l| !l.is_empty()).count() <= 2, "{setting}={value}: {text}");
    }
}
