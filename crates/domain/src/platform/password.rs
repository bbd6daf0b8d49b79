//! Which passwords are too easy to guess, whatever their length.

/// Fewest characters of a password. Every way in says so.
pub const MIN_CHARACTERS: usize = 12;
/// Fewest different characters of a password.
const MIN_DIFFERENT: usize = 4;

/// The most common passwords of 12 characters or more in lists that were published, in lower case and without what is neither letter
/// nor digit. Rows of keys, numbers in order and repeated words among them.
const COMMON: &[&str] = &[
    "000000000000",
    "098765432109",
    "0987654321qwerty",
    "111222333444",
    "112233445566",
    "121212121212",
    "123123123123",
    "123321123321",
    "123412341234",
    "1234512345123",
    "123454321123",
    "123456123456",
    "1234567890000",
    "123456789000",
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456789012345",
    "1234567890abc",
    "1234567890qwerty",
    "1234567891011",
    "123456789101112",
    "123456789abc",
    "123456789123",
    "123456789qwe",
    "123456789qwerty",
    "123456abcdef",
    "123456qwerty",
    "123456qwertyuiop",
    "123qweasdzxc",
    "1a2b3c4d5e6f",
    "1q2w3e4r5t6y",
    "1q2w3e4r5t6y7u",
    "1q2w3e4r5t6y7u8i",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz1qaz1qaz",
    "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv",
    "1qazxsw23edc",
    "1qazxsw23edcvfr4",
    "1234qwerasdf",
    "1234qwerasdfzxcv",
    "987654321000",
    "987654321012",
    "9876543210123",
    "999888777666",
    "aa123456789",
    "aaaabbbbcccc",
    "abc123abc123",
    "abc123456789",
    "abcd12345678",
    "abcd1234abcd",
    "abcd1234abcd1234",
    "abcdef123456",
    "abcdefg12345",
    "abcdefg123456",
    "abcdefgh1234",
    "abcdefgh12345678",
    "abcdefghijkl",
    "admin1234567",
    "admin12345678",
    "admin123456789",
    "administrator",
    "administrator1",
    "administrator123",
    "asdasdasdasd",
    "asdf1234asdf",
    "asdfasdfasdf",
    "asdfghjkl123",
    "asdfghjklzxc",
    "asdfghjklzxcvbnm",
    "asdfjkl12345",
    "assassinscreed",
    "babygirl1234",
    "barcelona123",
    "baseball1234",
    "basketball12",
    "basketball123",
    "blink182blink",
    "businessbabe",
    "butterfly123",
    "changeme1234",
    "changeme12345",
    "changemenow1",
    "charlie12345",
    "chocolate123",
    "christopher1",
    "computer1234",
    "constantine1",
    "correcthorsebatterystaple",
    "defaultpassword",
    "dragonball123",
    "dragonballz1",
    "fingerprint1",
    "football1234",
    "football12345",
    "fuckyou12345",
    "goodluck1234",
    "hello1234567",
    "hello12345678",
    "helloworld12",
    "helloworld123",
    "ihateyou1234",
    "iloveyou1234",
    "iloveyou12345",
    "iloveyou123456",
    "iloveyouforever",
    "iloveyousomuch",
    "iloveyoubaby",
    "internet1234",
    "jesuschrist1",
    "justinbieber",
    "letmein12345",
    "letmein123456",
    "letmeinletmein",
    "letmeinplease",
    "liverpool123",
    "loveyou12345",
    "manchester12",
    "manchesterunited",
    "masterpassword",
    "michael12345",
    "michaeljackson",
    "minecraft123",
    "mypassword12",
    "mypassword123",
    "mypassword1234",
    "newpassword1",
    "newpassword12",
    "newpassword123",
    "nopassword123",
    "password0000",
    "password1111",
    "password1212",
    "password123123",
    "password1234",
    "password12345",
    "password123456",
    "password1234567",
    "password12345678",
    "password123456789",
    "password1234567890",
    "password2020",
    "password2021",
    "password2022",
    "password2023",
    "password2024",
    "password2025",
    "password2026",
    "password4321",
    "passwordpass",
    "passwordpassword",
    "passwordword",
    "passw0rd1234",
    "p4ssw0rd1234",
    "pa55word1234",
    "pokemon12345",
    "princess1234",
    "q1w2e3r4t5y6",
    "q1w2e3r4t5y6u7",
    "q1w2e3r4t5y6u7i8",
    "qazwsxedc123",
    "qazwsxedcrfv",
    "qazwsxedcrfvtgb",
    "qazwsxedcrfvtgbyhnujm",
    "qwer1234qwer",
    "qwerasdfzxcv",
    "qwertasdfgzxcvb",
    "qwerty098765",
    "qwerty123123",
    "qwerty123456",
    "qwerty1234567",
    "qwerty12345678",
    "qwerty123456789",
    "qwertyasdfgh",
    "qwertyasdfghzxcvbn",
    "qwertyqwerty",
    "qwertyuiop10",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiop1234",
    "qwertyuiop12345",
    "qwertyuiopas",
    "qwertyuiopasdf",
    "qwertyuiopasdfghjkl",
    "qwertyuiopasdfghjklzxcvbnm",
    "samsung12345",
    "secret123456",
    "secretpassword",
    "shadow123456",
    "spongebob123",
    "starwars1234",
    "strongpassword",
    "summer123456",
    "sunshine1234",
    "sunshine12345",
    "superman1234",
    "supersecret1",
    "superstar123",
    "temporary123",
    "temppassword",
    "test12345678",
    "test123456789",
    "testpassword",
    "testtesttest",
    "thisisapassword",
    "trustno11234",
    "unbelievable",
    "welcome12345",
    "welcome123456",
    "welcome2023",
    "welcome2024",
    "welcomeback1",
    "welcometothejungle",
    "whatever1234",
    "yourpassword",
    "zaq12wsxcde3",
    "zaq1xsw2cde3",
    "zxcvbnm12345",
    "zxcvbnm123456",
    "zxcvbnm123456789",
    "zxcvbnmasdfg",
    "zxcvbnmasdfghjkl",
    "zxcvbnmzxcvbnm",
];

/// What is wrong with a password, for the message; none where nothing is.
#[must_use]
pub fn weakness(password: &str, email: &str, name: &str) -> Option<&'static str> {
    let typed = plain(password);
    let mut different: Vec<char> = password.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    different.sort_unstable();
    different.dedup();
    if different.is_empty() {
        return Some("not only blanks");
    }
    if different.len() < MIN_DIFFERENT {
        return Some("not a few characters repeated");
    }
    let user = email.split('@').next().unwrap_or_default();
    if [email, user, name].into_iter().map(plain).any(|own| !own.is_empty() && (own == typed || own == without_digits(&typed))) {
        return Some("not your own e-mail address or name");
    }
    let is_sequence = |step: i32| {
        let codes: Vec<i32> = typed.chars().map(|c| i32::try_from(u32::from(c)).unwrap_or_default()).collect();
        codes.windows(2).all(|pair| matches!(pair, [a, b] if b - a == step))
    };
    if is_sequence(1) || is_sequence(-1) || COMMON.contains(&typed.as_str()) || COMMON.contains(&without_digits(&typed)) {
        return Some("not one that many people use");
    }
    None
}

/// In lower case, without what is neither letter nor digit.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn without_digits(text: &str) -> &str {
    text.trim_end_matches(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easy_password_is_refused_with_the_reason() {
        for (password, why) in [
            ("            ", "not only blanks"),
            ("aaaaaaaaaaaa", "not a few characters repeated"),
            ("AaAaAaAaAaAa", "not a few characters repeated"),
            ("abababababab", "not a few characters repeated"),
            ("Somying@Example.com", "not your own e-mail address or name"),
            ("somying@example.com1", "not your own e-mail address or name"),
            ("Somying Rakdee", "not your own e-mail address or name"),
            ("somyingrakdee2026", "not your own e-mail address or name"),
            ("password1234", "not one that many people use"),
            ("Pass-Word-1234!", "not one that many people use"),
            ("passwordpassword99", "not one that many people use"),
            ("qwertyuiop123", "not one that many people use"),
            ("bcdefghijklmn", "not one that many people use"),
        ] {
            assert_eq!(weakness(password, "somying@example.com", "Somying Rakdee"), Some(why), "{password}");
        }
        for password in
            ["correct horse battery", "tea at nine in Lampang", "ชาเก้าโมงที่ลำปาง", "Rakdee drinks tea", "adminadminadmin", "x7#kQp!2vLm9"]
        {
            assert_eq!(weakness(password, "somying@example.com", "Somying Rakdee"), None, "{password}");
        }
        assert_eq!(weakness("tea at nine in Lampang", "", ""), None);
    }

    #[test]
    fn common_password_is_listed_as_it_is_compared() {
        for password in COMMON {
            assert_eq!(plain(password), *password);
        }
    }
}
